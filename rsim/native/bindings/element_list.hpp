// The elements that a selection lists, as Python has them.
#pragma once

#include <span>

#include "../handlespace/element.hpp"
#include "common.hpp"

namespace rsim {

// An element as an answer lists it: without ASAP transport.
struct Listed {
    std::uint32_t identifier;
    std::uint32_t home_server;
    std::int32_t registration_life;
    wire::Transport user_transport;
    wire::Policy policy;

    explicit Listed(const wire::PoolElement& own)
        : identifier(own.identifier), home_server(own.home_server), registration_life(own.registration_life),
          user_transport(own.user_transport), policy(own.policy) {}

    bool operator==(const Listed&) const = default;

    operator wire::PoolElement() const {
        return {identifier, home_server, registration_life, user_transport, policy, std::nullopt};
    }
};

// A new list of the elements as they are now; null and Python's error if there is no memory.
PyObject* make_element_list(std::span<handlespace::Element* const> elements);

// What a list that was made so has; nothing if `object` is something else.
std::optional<std::span<const Listed>> listed_elements(nb::handle object);

// Elements that Python hands over as any sequence; those of a list are not made into objects first.
struct GivenElements {
    std::vector<wire::PoolElement> elements;
};

}  // namespace rsim

namespace nanobind::detail {

template <>
struct type_caster<rsim::GivenElements> {
    using Sequence = make_caster<rsim::Given<rsim::wire::PoolElement>>;
    NB_TYPE_CASTER(rsim::GivenElements, Sequence::Name)

    template <class Flags>
    bool from_python(handle source, Flags flags, cleanup_list* cleanup) {
        if (const auto listed = rsim::listed_elements(source)) {
            value.elements.assign(listed->begin(), listed->end());
            return true;
        }
        Sequence sequence;
        if (!sequence.from_python(source, flags, cleanup)) return false;
        value.elements = std::move(sequence.value.values);
        return true;
    }
};

}  // namespace nanobind::detail
