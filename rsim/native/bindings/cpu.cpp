// Python face of CPUs.
#include "cpu.hpp"

#include <limits>

#include "draws.hpp"

namespace rsim {
namespace {

using network::Cpu;
using network::Job;

constexpr std::uint32_t asap = 11, enrp = 12;  // payload protocol identifiers

struct PythonJob final : Job {
    PythonJob(nb::object function, nb::tuple arguments) : function(std::move(function)), arguments(std::move(arguments)) {}
    void run() override {
        if (!nb::steal(PyObject_Call(function.ptr(), arguments.ptr(), nullptr)).is_valid()) throw nb::python_error();
    }
    int visit(void* visitor, void* argument) const override {
        const auto visit = reinterpret_cast<visitproc>(visitor);
        void* const arg = argument;
        Py_VISIT(function.ptr());
        Py_VISIT(arguments.ptr());
        return 0;
    }
    nb::object function;
    nb::tuple arguments;
};

std::uint64_t key(std::uint32_t ppid, int kind) { return std::uint64_t{ppid} << 32 | static_cast<std::uint32_t>(kind); }

int traverse_cpu(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return nb::inst_ready(self) ? nb::inst_ptr<CpuCore>(self)->traverse(visit, arg) : 0;
}

int clear_cpu(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<CpuCore>(self)->close();
    return 0;
}

PyType_Slot cpu_slots[] = {{Py_tp_traverse, slot(traverse_cpu)}, {Py_tp_clear, slot(clear_cpu)}, {0, nullptr}};

}  // namespace

CpuCore::CpuCore(nb::object queue, nb::object stream, nb::dict service_times, double default_time, double application_time,
                 bool exponential, nb::object buffer, nb::object urgent)
    : queue_(std::move(queue)), stream_(std::move(stream)), default_(default_time), application_(application_time),
      exponential_(exponential) {
    if (!is_queue(queue_)) throw nb::type_error("the queue must be an EventQueue");
    if (!is_stream(stream_)) throw nb::type_error("the stream must be a Stream");
    for (auto [kind, time] : service_times)
        times_[key(nb::cast<std::uint32_t>(kind[0]), nb::cast<int>(kind[1]))] = nb::cast<double>(time);
    const std::size_t most = buffer.is_none() ? std::numeric_limits<std::size_t>::max() : nb::cast<std::size_t>(buffer);
    const std::uint64_t first = urgent.is_none() ? Cpu::none : nb::cast<std::uint32_t>(urgent);
    cpu = Ref<Cpu>(new Cpu(queue_of(queue_.ptr()), most, first));
}

double CpuCore::service_time(std::uint32_t ppid, nb::bytes data) {
    double mean = ppid == asap || ppid == enrp ? default_ : application_;
    if (!times_.empty()) {
        const int kind = data.size() > 0 ? static_cast<unsigned char>(data.c_str()[0]) : -1;
        const auto found = times_.find(key(ppid, kind));
        if (found != times_.end()) mean = found->second;
    }
    return mean > 0 && exponential_ ? mean * draw_exponential(stream_) : mean;
}

void CpuCore::submit(double time, nb::object function, nb::tuple arguments, bool urgent) {
    cpu->submit(time, std::make_unique<PythonJob>(std::move(function), std::move(arguments)), urgent);
}

int CpuCore::traverse(visitproc visit, void* arg) const {
    Py_VISIT(queue_.ptr());
    return cpu->visit(reinterpret_cast<void*>(visit), arg);
}

void CpuCore::close() {
    if (!cpu) return;
    const Ref<Cpu> former = cpu;
    former->close();
    const nb::object former_queue = std::exchange(queue_, nb::none());
}

void bind_cpu(nb::module_& module) {
    nb::class_<CpuCore>(module, "CpuCore", nb::type_slots(cpu_slots),
        "One queue with a service time for each kind of message and a bounded buffer.\n\n"
        "Parameters: `queue` of the clock's events; `stream` of its draws; `service_times` in s by payload protocol and type; "
        "`default_time` of other messages of ASAP and ENRP, `application_time` of all others, in s; `exponential` whether "
        "they are means; `buffer` most messages, None: no limit; `urgent` payload protocol that goes first, None: none does.")
        .def(nb::init<nb::object, nb::object, nb::dict, double, double, bool, nb::object, nb::object>(), "queue"_a, "stream"_a,
             nb::kw_only(), "service_times"_a, "default_time"_a, "application_time"_a, "exponential"_a, "buffer"_a.none(),
             "urgent"_a.none())
        .def("admit", [](CpuCore& self, std::int64_t ppid) { return self.cpu->admit(static_cast<std::uint64_t>(ppid)); }, "ppid"_a,
             "Whether it takes one message more; one that it does not take is counted.\n\n"
             "Parameters: `ppid` payload protocol of the message, -1 for none that is urgent.")
        .def("service_time", &CpuCore::service_time, "ppid"_a, "data"_a,
             "Time in s that a message takes, by its kind.\n\nParameters: `ppid` payload protocol; `data` its octets.")
        .def("submit", &CpuCore::submit, "time"_a, "function"_a, "arguments"_a, "urgent"_a,
             "Calls a function when its turn has come and its work is done.\n\nParameters: `time` in s of work; `function` to "
             "call with `arguments`; `urgent` whether it goes before all that is not.")
        .def("clear", [](CpuCore& self) { self.cpu->clear(); }, "Forgets all work, as when the host goes down.")
        .def_prop_ro("counters", [](const CpuCore& self) {
            const network::CpuCounters& counters = self.cpu->counters;
            return nb::make_tuple(counters.jobs, counters.dropped, counters.busy, counters.waited);
        }, nb::sig("def counters(self) -> tuple[int, int, float, float]"),
           "Jobs served, messages refused, s of work, and s that served work had waited.");
}

}  // namespace rsim
