// rsim._native: registers what the files beside this one bind.
#include "common.hpp"

NB_MODULE(_native, module) {
    // At exit, whoever still holds a class (a test runner's cache, say) would cause false alarms.
    nb::set_leak_warnings(false);
    module.doc() = "Native codec, handlespace, queue of events, random streams and counts of messages of rsim.";
    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const rsim::ReentryProblem& problem) {
            rsim::set_reentry_error(problem);
        }
    });
    rsim::bind_wire_parameters(module);
    rsim::bind_element_list(module);
    rsim::bind_wire_messages(module);
    rsim::bind_randomness(module);
    rsim::bind_user_list(module);
    rsim::bind_handlespace(module);
    rsim::bind_clock(module);
    rsim::bind_traffic(module);
}
