// Random draws for selections, as Python has them.
#pragma once

#include "../handlespace/draws.hpp"
#include "common.hpp"

namespace rsim {

// What an object of Python's class Draws draws from; null if it is something else.
handlespace::Draws* draws_of(nb::handle object);

// The object that `draws` are the draws of: `draws_of` has given them.
nb::object object_of(handlespace::Draws& draws);

// Whether an object is of Python's class Stream.
bool is_stream(nb::handle object);
// One draw of a Stream from [0, 1).
double draw_uniform(nb::handle stream);
// One draw of a Stream from the exponential distribution with mean 1.
double draw_exponential(nb::handle stream);

}  // namespace rsim
