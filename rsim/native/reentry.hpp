// What calls back, and must not be changed by what it calls.
#pragma once

#include <stdexcept>
#include <string>

namespace rsim {

// Something was to be done in the middle of another thing with the same object.
struct ReentryProblem : std::logic_error {
    ReentryProblem(const std::string& object, const char* wanted, const char* present)
        : std::logic_error(object + "." + wanted + ": called from within its " + present +
                           "; what is called back must not change the object that calls it") {}
};

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_reentry(const char* object, const char* wanted, const char* present) {
    throw ReentryProblem(object, wanted, present);
}

// Stands for one thing that is being done with an object; `present` is the object's own note of it, null for none.
class Doing {
public:
    Doing(const char*& present, const char* object, const char* wanted) : present_(present) {
        if (present) refuse_reentry(object, wanted, present);
        present = wanted;
    }
    Doing(const Doing&) = delete;
    Doing& operator=(const Doing&) = delete;
    ~Doing() { present_ = nullptr; }

private:
    const char*& present_;
};

}  // namespace rsim
