// What has been sent, as Python has it.
#pragma once

#include "../network/traffic.hpp"
#include "common.hpp"

namespace rsim {

// What an object of Python's class Traffic counts; null if it is something else.
network::Traffic* traffic_in(nb::handle object);

}  // namespace rsim
