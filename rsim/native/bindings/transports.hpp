// How transports pass to Python: a class for each kind, and their addresses.
#pragma once

#include "../wire/transports.hpp"
#include "common.hpp"

namespace rsim {

using wire::SctpTransport;

// Addresses as the constructors take them, and as the property gives them.
class AddressesGiven : public nb::iterable {
    NB_OBJECT(AddressesGiven, nb::iterable,
              "collections.abc.Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str]", nb::detail::iterable_check)
};
class AddressesShown : public nb::tuple {
    NB_OBJECT(AddressesShown, nb::tuple, "tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]", PyTuple_Check)
};

// Packed as Transport::content; a FieldError for what is no address.
std::string packed_addresses(const char* field, nb::iterable given);
nb::tuple addresses_of(const std::string& packed);

nb::object transport_object(const wire::Transport& transport);

}  // namespace rsim
