// rsim._native: registers what the files beside this one bind.
#include "common.hpp"

namespace {

nb::list wire_names(nb::module_& module) {
    nb::list names;
    for (auto [name, value] : nb::cast<nb::dict>(module.attr("__dict__"))) {
        const std::string text = nb::cast<std::string>(name);
        if (text[0] != '_' && text != "ElementList") names.append(name);
    }
    names.attr("sort")();
    return names;
}

}  // namespace

NB_MODULE(_native, module) {
    // At exit, whoever still holds a class (a test runner's cache, say) would cause false alarms.
    nb::set_leak_warnings(false);
    module.doc() = "Native codec, handlespace, queue of events, network, random streams and counts of messages of rsim.";
    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const rsim::ReentryProblem& problem) {
            rsim::set_reentry_error(problem);
        }
    });
    rsim::bind_wire_codes(module);
    rsim::bind_wire_parameters(module);
    rsim::bind_element_list(module);
    rsim::bind_wire_messages(module);
    // `from rsim._native import *` gives the values of the wire: rsim.wire has them all. The other rooms name what they take.
    module.attr("__all__") = wire_names(module);
    rsim::bind_randomness(module);
    rsim::bind_user_list(module);
    rsim::bind_handlespace(module);
    rsim::bind_clock(module);
    rsim::bind_traffic(module);
    rsim::bind_cpu(module);
    rsim::bind_fabric(module);
    rsim::bind_stack(module);
}
