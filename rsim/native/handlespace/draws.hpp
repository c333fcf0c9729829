// Random draws from the stream of whoever asks for a selection.
#pragma once

#include <cstdint>

namespace rsim::handlespace {

// A source of 64-bit words: a function and its state, so that a numpy bit generator fits in.
struct Draws {
    void* state = nullptr;
    std::uint64_t (*next)(void*) = nullptr;

    // Uniform on 0 … bound − 1, exactly (rejection of the incomplete last cycle).
    std::uint64_t below(std::uint64_t bound) {
        const std::uint64_t reject = (0 - bound) % bound;
        for (;;) {
            const std::uint64_t word = next(state);
            if (word >= reject) return word % bound;
        }
    }
};

}  // namespace rsim::handlespace
