// The handlespace: pools by handle, their elements, and who owns them (RFC 5353, RFC 5351 2.2).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../reentry.hpp"
#include "element.hpp"
#include "identifier_table.hpp"
#include "indexed_heap.hpp"
#include "selection.hpp"

namespace rsim::handlespace {

class Pool;
struct Holding;

// Pools, or what somebody owns of them, in the order of their handles.
struct ByHandle {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const { return handle(a) < handle(b); }

    static std::string_view handle(std::string_view itself) { return itself; }
    static std::string_view handle(const Pool* pool);
    static std::string_view handle(const Holding* holding);
};

// What one server owns: number of elements and the sum that its PE checksum comes from.
struct Owner {
    std::uint32_t identifier = 0;
    std::size_t elements = 0;
    std::uint64_t sum = 0;  // of the 16-bit words of all blocks, neither folded nor complemented
    std::set<Holding*, ByHandle> holdings;
};

struct ByIdentifier {
    using is_transparent = void;
    bool operator()(const Element& a, const Element& b) const { return a.content.identifier < b.content.identifier; }
    bool operator()(const Element& a, std::uint32_t b) const { return a.content.identifier < b; }
    bool operator()(std::uint32_t a, const Element& b) const { return a < b.content.identifier; }
};

// Elements of one pool that one server owns, by identifier.
struct Holding {
    Pool* pool = nullptr;
    Owner* owner = nullptr;
    std::set<Element, ByIdentifier> elements;

    // All but its identifier may change.
    static Element& changeable(const Element& element) { return const_cast<Element&>(element); }
};

// Unreachability reports about an element.
struct Reports {
    std::uint32_t count = 0;
    std::map<std::uint64_t, std::uint32_t> by_reporter;
};

class Pool {
public:
    Pool(std::string pool_handle, const wire::PoolElement& first, std::unique_ptr<Selection> order);

    const std::string& handle() const { return handle_; }
    std::uint32_t policy_type() const { return policy_type_; }
    std::size_t size() const { return table_.size(); }

private:
    friend class Handlespace;
    std::string handle_;
    std::uint32_t policy_type_;
    wire::ParameterType transport_kind_;
    std::uint16_t transport_use_;
    std::uint64_t handle_sum_;
    std::unique_ptr<Selection> selection_;
    IdentifierTable<Element> table_;
    std::map<std::uint32_t, Holding> holdings_;  // by owner
};

inline std::string_view ByHandle::handle(const Pool* pool) { return pool->handle(); }
inline std::string_view ByHandle::handle(const Holding* holding) { return holding->pool->handle(); }

enum class Outcome {
    added,                   // a new element
    renewed,                 // a known element, attributes replaced
    inconsistent_policy,     // refused: the pool has another policy type (cause 0x5)
    inconsistent_transport,  // refused: another kind of user transport (cause 0x7)
    inconsistent_use,        // refused: another data/control mode (cause 0x8)
    unknown_policy,          // refused: no policy of that type is known here
};

// Place in a table download: the last element that was sent.
struct Cursor {
    std::string pool_handle;
    std::uint32_t identifier = 0;
};

struct TablePiece {
    std::vector<wire::PoolEntry> entries;
    std::optional<Cursor> next;  // where to go on; none at the end
};

// A policy that is not native may read the handlespace when it is called, and must not change it: that is refused with
// a ReentryProblem. When it throws, the handlespace stays whole: an element that was to be inserted is not there, one
// that was to be removed is gone, one that was to be updated has its new content.
class Handlespace {
public:
    // Gives the selection for a policy type, or null if it knows no such type.
    using SelectionSource = std::unique_ptr<Selection> (*)(std::uint32_t policy_type);

    // `more` is asked for policies that are not native.
    explicit Handlespace(SelectionSettings settings, SelectionSource more = nullptr) : settings_(settings), more_policies_(more) {}
    Handlespace(const Handlespace&) = delete;
    Handlespace& operator=(const Handlespace&) = delete;

    // Registers an element, or replaces the attributes of a known one (protocol rules: RFC 5352
    // 3.1). A renewal sets its load degradation back; its place among equals stays.
    Outcome add(std::string_view handle, const wire::PoolElement& content, double expires);
    bool remove(std::string_view handle, std::uint32_t identifier);

    const Pool* find_pool(std::string_view handle) const;
    const Element* find(std::string_view handle, std::uint32_t identifier) const;
    const Element* any_element(std::string_view handle) const;

    // The elements that answer a resolution, in the order of the pool's policy.
    const std::vector<Element*>& select(std::string_view handle, std::size_t count, Draws& draws);

    // Counts one unreachability report and returns all so far, or the distinct reporters.
    std::uint32_t report(std::string_view handle, std::uint32_t identifier, std::uint64_t reporter, bool distinct);
    void clear_reports(std::string_view handle, std::uint32_t identifier);

    // Earliest end of a registration life, infinity if there is none.
    double next_expiry() const;
    // Removes one element whose life ended at or before `now`.
    std::optional<std::pair<std::string, wire::PoolElement>> expire(double now);

    // PE checksum of what a server owns (RFC 5353 3.6.2).
    std::uint16_t checksum(std::uint32_t owner) const;
    std::size_t owned(std::uint32_t owner) const;

    // Up to `limit` elements of about `octets` on the wire after `cursor`, in the order of handle
    // and identifier, of all owners or one.
    TablePiece table(const std::optional<Cursor>& cursor, std::size_t limit, std::size_t octets,
                     std::optional<std::uint32_t> owner) const;

    // Marks all elements of an owner; what is registered anew loses its mark; the rest is swept, and the first that a
    // policy has thrown meanwhile is thrown at the end.
    void mark(std::uint32_t owner);
    void unmark(std::uint32_t owner);
    std::vector<std::pair<std::string, wire::PoolElement>> sweep(std::uint32_t owner);

    std::size_t pools() const { return pools_.size(); }
    std::size_t elements() const { return elements_; }

private:
    struct ExpirySlot {
        std::uint32_t& operator()(Element& element) const { return element.expiry_slot; }
    };

    Pool* pool_of(std::string_view handle) const;
    std::unique_ptr<Selection> make_selection(std::uint32_t policy_type);
    void set_expiry(Element& element, double expires);
    void gain(Holding& holding, const Element& element);
    void lose(Holding& holding, const Element& element);
    Holding& holding_of(Pool& pool, std::uint32_t owner);
    Pool& open_pool(std::string_view handle, const wire::PoolElement& first, std::unique_ptr<Selection> order);
    void close_pool(Pool& pool);
    void enter(Pool& pool, const wire::PoolElement& content, double expires);
    void renew(Element& element, const wire::PoolElement& content, double expires);
    void release(Pool& pool, Holding& holding);
    void take_out(Element& element);
    void erase(Element& element);
    Doing change(const char* wanted) { return Doing(doing_, "Handlespace", wanted); }
    Element& move_to(Element& element, std::uint32_t owner);
    void table_of_pool(const Pool& pool, std::uint32_t after, bool resume, std::size_t limit, std::size_t octets,
                       std::optional<std::uint32_t> owner, std::size_t& taken, std::size_t& used, TablePiece& piece) const;
    template <class Visit>
    void each_owned(std::uint32_t owner, Visit&& visit);

    SelectionSettings settings_;
    SelectionSource more_policies_;
    std::unordered_map<std::string_view, std::unique_ptr<Pool>> pools_;  // by their own handles
    mutable Pool* recent_ = nullptr;  // the pool that was asked for last
    std::set<Pool*, ByHandle> ordered_pools_;
    std::unordered_map<std::uint32_t, Owner> owners_;
    IndexedHeap<double, NoTie, Element, ExpirySlot> expiries_;
    std::unordered_map<const Element*, Reports> reports_;
    std::size_t elements_ = 0;
    std::vector<Element*> chosen_;
    const char* doing_ = nullptr;  // the change that is being made
};

}  // namespace rsim::handlespace
