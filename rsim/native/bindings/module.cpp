// rsim._native: registers what the files beside this one bind.
#include "common.hpp"

NB_MODULE(_native, module) {
    module.doc() = "Native codec and handlespace of rsim.";
    rsim::bind_wire_parameters(module);
    rsim::bind_wire_messages(module);
    rsim::bind_handlespace(module);
}
