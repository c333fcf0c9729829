// All messages: which protocol has which, and a value that is any of them.
#pragma once

#include <variant>

#include "enrp_messages.hpp"

namespace rsim::wire {

enum class Protocol { asap, enrp };

template <class... Messages>
struct MessageList {
    using Variant = std::variant<Messages...>;
};

using AsapMessages =
    MessageList<Registration, Deregistration, RegistrationResponse, DeregistrationResponse,
                HandleResolution, HandleResolutionResponse, EndpointKeepAlive,
                EndpointKeepAliveAck, EndpointUnreachable, ServerAnnounce, Cookie, CookieEcho,
                BusinessCard, AsapError>;
using EnrpMessages =
    MessageList<Presence, HandleTableRequest, HandleTableResponse, HandleUpdate, ListRequest,
                ListResponse, InitTakeover, InitTakeoverAck, TakeoverServer, EnrpError>;

template <class... A, class... B>
MessageList<A..., B...> join(MessageList<A...>, MessageList<B...>);
using AllMessages = decltype(join(AsapMessages{}, EnrpMessages{}));

using Message = AllMessages::Variant;

}  // namespace rsim::wire
