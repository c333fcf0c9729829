// Processor time of an operation, the best of some batches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>

inline double cpu_seconds() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Nanoseconds for one call of `operation(i)`, i counting up over all batches.
template <class Operation>
double nanoseconds(std::size_t count, int batches, Operation&& operation) {
    double best = 1e300;
    std::size_t i = 0;
    for (int batch = 0; batch < batches; ++batch) {
        const double start = cpu_seconds();
        for (std::size_t n = 0; n < count; ++n) operation(i++);
        best = std::min(best, (cpu_seconds() - start) / static_cast<double>(count));
    }
    return best * 1e9;
}

// Keeps the compiler from dropping a value that nobody reads.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}
