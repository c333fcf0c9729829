// Python face of a policy's parameter: the values of the native policies by name (wire/policies.hpp), or bytes.
#include <nanobind/stl/variant.h>

#include "described.hpp"

namespace rsim {

using namespace wire;

namespace {

// All values that native policies have, each once.
constexpr std::size_t known_value_count = [] {
    std::size_t count = 0;
    for (std::size_t policy = 0; policy < native_policies.size(); ++policy)
        for (std::size_t at = 0; at < native_policies[policy].value_count(); ++at) {
            bool seen = false;
            for (std::size_t before = 0; before < policy; ++before)
                seen = seen || native_policies[before].index_of(native_policies[policy].values[at]) >= 0;
            count += !seen;
        }
    return count;
}();
constexpr auto known_values = [] {
    std::array<PolicyValue, known_value_count> known{};
    std::size_t count = 0;
    for (const NativePolicy& policy : native_policies)
        for (std::size_t at = 0; at < policy.value_count(); ++at)
            if (std::ranges::find(known.begin(), known.begin() + count, policy.values[at].name, &PolicyValue::name) ==
                known.begin() + count)
                known[count++] = policy.values[at];
    return known;
}();
using KnownValues = std::make_index_sequence<known_value_count>;

using Word = std::optional<nb::int_>;
using Words = std::array<Word, known_value_count>;
using TypeName = nb::typed<nb::object, std::variant<nb::int_, nb::str>>;

Policy make_policy(nb::handle type, const Words& words, nb::bytes data) {
    Policy policy;
    const NativePolicy* native = nullptr;
    if (nb::isinstance<nb::str>(type)) {
        const std::string name = nb::cast<std::string>(type);
        native = find_policy(std::string_view(name));
        if (!native) raise_field_error("type", "'" + name + "' is no known policy");
        policy.type = native->type;
    } else {
        policy.type = whole<std::uint32_t>("type", nb::cast<nb::int_>(type));
        native = find_policy(policy.type);
    }
    if (!native) policy.data = to_string(data);
    else if (data.size() != 0) raise_field_error("data", "is for policy types that rsim does not know; name the values instead");
    else policy.data.resize(4 * native->value_count());
    for (std::size_t n = 0; n < words.size(); ++n) {
        const char* const name = known_values[n].name.data();
        const int index = native ? native->index_of(known_values[n]) : -1;
        if (index < 0 && words[n]) raise_field_error(name, "is no value of this policy");
        if (index < 0) continue;
        if (!words[n]) raise_field_error(name, "is missing: the policy needs it");
        store32(policy.data.data() + 4 * index, whole<std::uint32_t>(name, *words[n]));
    }
    return policy;
}

FieldNames policy_fields(const Policy& policy) {
    FieldNames names{"type"};
    const NativePolicy* native = find_policy(policy.type);
    if (!native) names.push_back("data");
    for (std::size_t i = 0; native && i < native->value_count(); ++i) names.push_back(native->values[i].name.data());
    return names;
}

std::string policy_doc() {
    std::string doc =
        "Pool member selection policy (RFC 5354 3.8, RFC 5356).\n\n"
        "A native policy takes exactly its own values, each of 32 bits (`rsim.wire.policy_values`); any other type takes "
        "`data`.\n\nParameters:\n\n- `type`: a native policy's name, or a type code, 32 bits";
    for (const PolicyValue& value : known_values) doc += "\n- `" + std::string(value.name) + "`: " + value.doc;
    return doc + "\n- `data`: octets of a type that is not native\n\n"
                 "Raises FieldError, which names the field, for a value that is missing, too many or out of its range.";
}

void add_constructor(nb::class_<Policy>& cls) {
    [&]<std::size_t... n>(std::index_sequence<n...>) {
        cls.def("__init__", [](Policy* self, TypeName type, std::conditional_t<n == n, Word, void>... words, nb::bytes data) {
            new (self) Policy(make_policy(type, {std::move(words)...}, data));
        }, "type"_a, nb::kw_only(), (nb::arg(known_values[n].name.data()) = nb::none())..., "data"_a = nb::bytes("", 0));
    }(KnownValues{});
}

void bind_values(nb::class_<Policy>& cls) {
    for (const PolicyValue& value : known_values) {
        const std::string doc = "`" + std::string(value.name) + "`: " + value.doc + "; None if the policy does not have it.";
        cls.def_prop_ro(value.name.data(), [&value](const Policy& p) -> std::optional<std::uint32_t> {
            const NativePolicy* native = find_policy(p.type);
            const int index = native ? native->index_of(value) : -1;
            if (index < 0) return std::nullopt;
            return p.word(static_cast<std::size_t>(index));
        }, doc.c_str());
    }
}

std::string repr(nb::handle_t<Policy> self) {
    const Policy& policy = nb::cast<const Policy&>(self);
    FieldNames names = policy_fields(policy);
    names.erase(names.begin());
    const NativePolicy* native = find_policy(policy.type);
    const std::string type = native ? "'" + std::string(native->name) + "'" : std::to_string(policy.type);
    const std::string rest = repr_of(self, names);
    const std::size_t open = rest.find('(') + 1;
    return rest.substr(0, open) + type + (names.empty() ? "" : ", ") + rest.substr(open);
}

void bind_tables(nb::module_& module) {
    module.def("policy_types", [] {
        nb::dict result;
        for (const NativePolicy& policy : native_policies) result[policy.name.data()] = policy.type;
        return result;
    }, nb::sig("def policy_types() -> dict[str, int]"), "Type codes of the native policies by name.");
    module.def("policy_values", [](const char* policy) {
        const NativePolicy* native = find_policy(std::string_view(policy));
        if (!native) raise_field_error("policy", "'" + std::string(policy) + "' is no known policy");
        nb::list names;
        for (std::size_t i = 0; i < native->value_count(); ++i) names.append(nb::str(native->values[i].name.data()));
        return nb::tuple(names);
    }, "policy"_a, nb::sig("def policy_values(policy: str) -> tuple[str, ...]"),
       "Names of the values of a native policy, in the order of the wire.\n\n"
       "Parameters: `policy` its name. Raises FieldError for a name that is no native policy's.");
}

}  // namespace

void bind_wire_policy(nb::module_& module) {
    nb::class_<Policy> cls(module, "Policy", policy_doc().c_str());
    add_constructor(cls);
    cls.def("encode", [](const Policy& p) {
        return encode_parameter([&](Encoder& out) { out.policy("policy", p); });
    }, "The parameter's own bytes, as an error cause quotes it. Raises FieldError for an invalid type (RFC 5356 7.1).");
    cls.def_prop_ro("type", [](const Policy& p) { return p.type; }, "Type code, 32 bits.");
    cls.def_prop_ro("name", [](const Policy& p) -> std::optional<std::string> {
        const NativePolicy* native = find_policy(p.type);
        if (!native) return std::nullopt;
        return std::string(native->name);
    }, "Name of the type, None for types that are not native.");
    bind_values(cls);
    cls.def_prop_ro("data", [](const Policy& p) { return find_policy(p.type) ? nb::bytes("", 0) : to_bytes(p.data); },
                    "Octets of a type that is not native, else empty.");
    cls.def("__repr__", &repr);
    cls.def("to_dict", [](nb::handle_t<Policy> self) {
        nb::dict result;
        result["policy"] = self.attr("name");
        for (auto [name, value] : fields_of(self, policy_fields(nb::cast<const Policy&>(self)))) result[name] = plain(value);
        return result;
    }, nb::sig("def to_dict(self) -> dict[str, typing.Any]"), "Name, type code and values, JSON-ready.");
    identity_methods<Policy>(cls, FieldsOf<Policy>(&policy_fields), [](const Policy& p) { return std::to_string(p.type) + ":" + p.data; });
    bind_tables(module);
}

}  // namespace rsim
