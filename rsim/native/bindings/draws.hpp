// Random draws for selections, as Python has them.
#pragma once

#include "../handlespace/draws.hpp"
#include "common.hpp"

namespace rsim {

// What an object of Python's class Draws draws from; null if it is something else.
handlespace::Draws* draws_of(nb::handle object);

// An object of that class, which may be used as long as there is what `draws` draws from.
nb::object shown_draws(const handlespace::Draws& draws);

}  // namespace rsim
