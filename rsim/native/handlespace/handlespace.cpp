#include "handlespace.hpp"

#include <exception>
#include <limits>

namespace rsim::handlespace {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

// Sum of the 16-bit words of the handle, zero-filled to a multiple of 4 (RFC 5353 3.6.2).
std::uint64_t sum_of_handle(std::string_view handle) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < handle.size(); ++i) {
        const std::uint64_t octet = static_cast<unsigned char>(handle[i]);
        sum += i % 2 == 0 ? octet << 8 : octet;
    }
    return sum;
}

std::uint64_t sum_of_identifier(std::uint32_t identifier) { return (identifier >> 16) + (identifier & 0xffff); }

// Octets of an element in ENRP_HANDLE_TABLE_RESPONSE; near enough to bound a piece.
std::size_t wire_size(const wire::PoolElement& element) {
    const auto transport = [](const wire::Transport& t) { return 12 + 4 * t.address_count() + t.content.size(); };
    return 16 + transport(element.user_transport) + 8 + element.policy.data.size() +
           (element.asap_transport ? transport(*element.asap_transport) : 0);
}

// Data only, or control as well: of SCTP ports alone the latter can be (RFC 5354 3.1, 3.3, 3.5 to 3.7).
std::uint16_t mode_of(const wire::Transport& transport) {
    return transport.kind == wire::ParameterType::sctp_transport ? transport.use : std::uint16_t{0};
}

}  // namespace

Pool::Pool(std::string pool_handle, const wire::PoolElement& first, std::unique_ptr<Selection> order)
    : handle_(std::move(pool_handle)),
      policy_type_(first.policy.type),
      transport_kind_(first.user_transport.kind),
      transport_use_(mode_of(first.user_transport)),
      handle_sum_(sum_of_handle(handle_)),
      selection_(std::move(order)) {}

Pool* Handlespace::pool_of(std::string_view handle) const {
    if (recent_ && recent_->handle() == handle) return recent_;
    const auto found = pools_.find(handle);
    if (found == pools_.end()) return nullptr;
    return recent_ = found->second.get();
}

const Pool* Handlespace::find_pool(std::string_view handle) const { return pool_of(handle); }

const Element* Handlespace::find(std::string_view handle, std::uint32_t identifier) const {
    const Pool* pool = pool_of(handle);
    return pool ? pool->table_.find(identifier) : nullptr;
}

const Element* Handlespace::any_element(std::string_view handle) const {
    // A pool has at least one owner, and each of its owners at least one element.
    const Pool* pool = pool_of(handle);
    return pool ? &*pool->holdings_.begin()->second.elements.begin() : nullptr;
}

std::unique_ptr<Selection> Handlespace::make_selection(std::uint32_t policy_type) {
    if (const SelectionFactory factory = find_selection(policy_type)) return factory(settings_);
    return more_policies_ ? more_policies_(policy_type) : nullptr;
}

Outcome Handlespace::add(std::string_view handle, const wire::PoolElement& content, double expires) {
    const Doing adds = change("add");
    Pool* pool = pool_of(handle);
    if (!pool) {
        auto selection = make_selection(content.policy.type);
        if (!selection) return Outcome::unknown_policy;
        pool = &open_pool(handle, content, std::move(selection));
    } else {
        if (content.policy.type != pool->policy_type_) return Outcome::inconsistent_policy;
        if (content.user_transport.kind != pool->transport_kind_) return Outcome::inconsistent_transport;
        if (mode_of(content.user_transport) != pool->transport_use_) return Outcome::inconsistent_use;
    }

    if (Element* element = pool->table_.find(content.identifier)) {
        renew(*element, content, expires);
        return Outcome::renewed;
    }
    enter(*pool, content, expires);
    return Outcome::added;
}

Pool& Handlespace::open_pool(std::string_view handle, const wire::PoolElement& first, std::unique_ptr<Selection> order) {
    auto created = std::make_unique<Pool>(std::string(handle), first, std::move(order));
    Pool& pool = *created;
    const auto at = pools_.emplace(pool.handle(), std::move(created)).first;
    try {
        ordered_pools_.insert(&pool);
    } catch (...) {
        pools_.erase(at);
        throw;
    }
    return pool;
}

void Handlespace::close_pool(Pool& pool) {
    recent_ = nullptr;
    ordered_pools_.erase(&pool);
    // A policy that is not native may look at the handlespace when it ends: in no table any more.
    const auto closed = pools_.extract(pools_.find(pool.handle()));
}

// All or nothing. The policy comes last, so that it sees the handlespace with the element.
void Handlespace::enter(Pool& pool, const wire::PoolElement& content, double expires) {
    Holding* holding = nullptr;
    Element* element = nullptr;
    bool listed = false;
    try {
        holding = &holding_of(pool, content.home_server);
        element = &Holding::changeable(*holding->elements.emplace(content).first);
        element->holding = holding;
        element->degrade(settings_.degradations_at_registration);
        pool.table_.insert(content.identifier, *element);
        gain(*holding, *element);
        ++elements_;
        listed = true;
        set_expiry(*element, expires);
        pool.selection_->insert(*element);
    } catch (...) {
        if (listed) {
            take_out(*element);
        } else if (holding) {
            if (element) holding->elements.erase(holding->elements.find(content.identifier));
            release(pool, *holding);
        } else if (pool.holdings_.empty()) {
            close_pool(pool);
        }
        throw;
    }
}

void Handlespace::renew(Element& element, const wire::PoolElement& content, double expires) {
    std::optional<wire::PoolElement> changed;
    if (!(element.content == content)) changed = content;
    if (element.content.home_server != content.home_server) move_to(element, content.home_server);
    if (changed) element.content = std::move(*changed);
    element.degradations = 0;
    element.degrade(settings_.degradations_at_registration);
    element.marked = false;
    set_expiry(element, expires);
    element.holding->pool->selection_->update(element);
}

bool Handlespace::remove(std::string_view handle, std::uint32_t identifier) {
    const Doing removes = change("remove");
    Pool* pool = pool_of(handle);
    Element* element = pool ? pool->table_.find(identifier) : nullptr;
    if (!element) return false;
    erase(*element);
    return true;
}

// What the policy throws comes when the element is gone.
void Handlespace::erase(Element& element) {
    std::exception_ptr thrown;
    try {
        element.holding->pool->selection_->remove(element);
    } catch (...) {
        thrown = std::current_exception();
    }
    take_out(element);
    if (thrown) std::rethrow_exception(thrown);
}

// All but the policy's own note of it.
void Handlespace::take_out(Element& element) {
    Pool& pool = *element.holding->pool;
    Holding& holding = *element.holding;
    const std::uint32_t identifier = element.content.identifier;
    set_expiry(element, never);
    pool.table_.erase(identifier);
    lose(holding, element);
    reports_.erase(&element);
    holding.elements.erase(holding.elements.find(identifier));
    --elements_;
    release(pool, holding);
}

void Handlespace::set_expiry(Element& element, double expires) {
    const bool limited = element.expiry_slot != Element::no_slot;
    if (expires == never) {
        if (!limited) return;
        expiries_.remove(element);
        element.expiry_slot = Element::no_slot;
    } else if (limited) {
        expiries_.change(element, {expires, {}});
    } else {
        expiries_.push({expires, {}}, element);
    }
}

Holding& Handlespace::holding_of(Pool& pool, std::uint32_t owner_identifier) {
    const auto [at, created] = pool.holdings_.try_emplace(owner_identifier);
    if (!created) return at->second;
    Owner* owner = nullptr;
    try {
        owner = &owners_[owner_identifier];
        owner->identifier = owner_identifier;
        at->second.pool = &pool;
        at->second.owner = owner;
        owner->holdings.insert(&at->second);
    } catch (...) {
        if (owner && owner->holdings.empty()) owners_.erase(owner_identifier);
        pool.holdings_.erase(at);
        throw;
    }
    return at->second;
}

void Handlespace::gain(Holding& holding, const Element& element) {
    ++holding.owner->elements;
    holding.owner->sum += holding.pool->handle_sum_ + sum_of_identifier(element.content.identifier);
}

void Handlespace::lose(Holding& holding, const Element& element) {
    --holding.owner->elements;
    holding.owner->sum -= holding.pool->handle_sum_ + sum_of_identifier(element.content.identifier);
}

// Gives back a holding without elements, and its owner and pool if they hold nothing more.
void Handlespace::release(Pool& pool, Holding& holding) {
    if (!holding.elements.empty()) return;
    Owner& owner = *holding.owner;
    owner.holdings.erase(&holding);
    if (owner.holdings.empty()) {
        const std::uint32_t identifier = owner.identifier;
        pool.holdings_.erase(identifier);
        owners_.erase(identifier);
    } else {
        pool.holdings_.erase(owner.identifier);
    }
    if (pool.holdings_.empty()) close_pool(pool);
}

// The element changes hands without changing its place in memory.
Element& Handlespace::move_to(Element& element, std::uint32_t owner) {
    Pool& pool = *element.holding->pool;
    Holding& from = *element.holding;
    Holding& to = holding_of(pool, owner);
    lose(from, element);
    auto node = from.elements.extract(from.elements.find(element.content.identifier));
    node.value().holding = &to;
    to.elements.insert(std::move(node));
    gain(to, element);
    release(pool, from);
    return element;
}

const std::vector<Element*>& Handlespace::select(std::string_view handle, std::size_t count, Draws& draws) {
    const Doing selects = change("select");
    chosen_.clear();
    Pool* pool = pool_of(handle);
    if (!pool || count == 0) return chosen_;
    // So that no policy runs out of memory in the middle.
    if (count > chosen_.capacity()) chosen_.reserve(std::min(count, pool->size()));
    pool->selection_->select(count, draws, chosen_);
    return chosen_;
}

std::uint32_t Handlespace::report(std::string_view handle, std::uint32_t identifier, std::uint64_t reporter, bool distinct) {
    const Doing reports_one = change("report");
    Pool* pool = pool_of(handle);
    Element* element = pool ? pool->table_.find(identifier) : nullptr;
    if (!element) return 0;
    Reports& reports = reports_[element];
    ++reports.by_reporter[reporter];
    ++reports.count;
    return distinct ? static_cast<std::uint32_t>(reports.by_reporter.size()) : reports.count;
}

void Handlespace::clear_reports(std::string_view handle, std::uint32_t identifier) {
    const Doing clears = change("clear_reports");
    Pool* pool = pool_of(handle);
    Element* element = pool ? pool->table_.find(identifier) : nullptr;
    if (element) reports_.erase(element);
}

double Handlespace::next_expiry() const { return expiries_.empty() ? never : expiries_.top_key().rank; }

std::optional<std::pair<std::string, wire::PoolElement>> Handlespace::expire(double now) {
    const Doing expires = change("expire");
    if (expiries_.empty() || expiries_.top_key().rank > now) return std::nullopt;
    Element& element = expiries_.top();
    std::pair<std::string, wire::PoolElement> expired{element.holding->pool->handle(), element.content};
    erase(element);
    return expired;
}

std::uint16_t Handlespace::checksum(std::uint32_t owner) const {
    const auto found = owners_.find(owner);
    std::uint64_t sum = found == owners_.end() ? 0 : found->second.sum;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::size_t Handlespace::owned(std::uint32_t owner) const {
    const auto found = owners_.find(owner);
    return found == owners_.end() ? 0 : found->second.elements;
}

// Merges the owners' elements of one pool by identifier.
void Handlespace::table_of_pool(const Pool& pool, std::uint32_t after, bool resume, std::size_t limit, std::size_t octets,
                                std::optional<std::uint32_t> owner, std::size_t& taken, std::size_t& used, TablePiece& piece) const {
    using Iterator = std::set<Element, ByIdentifier>::const_iterator;
    std::vector<std::pair<Iterator, Iterator>> ranges;
    for (const auto& [identifier, holding] : pool.holdings_) {
        if (owner && identifier != *owner) continue;
        ranges.emplace_back(resume ? holding.elements.upper_bound(after) : holding.elements.begin(), holding.elements.end());
    }
    bool entered = false;
    for (;;) {
        std::pair<Iterator, Iterator>* least = nullptr;
        for (auto& range : ranges)
            if (range.first != range.second && (!least || range.first->content.identifier < least->first->content.identifier)) least = &range;
        if (!least) return;
        const wire::PoolElement& content = least->first->content;
        const std::size_t size = wire_size(content) + (entered ? 0 : 8 + pool.handle().size());
        if (taken > 0 && (taken >= limit || used + size > octets)) {
            const wire::PoolEntry& last = piece.entries.back();
            piece.next = Cursor{last.pool_handle, last.pool_elements.back().identifier};
            return;
        }
        if (!entered) piece.entries.push_back({pool.handle(), {}});
        entered = true;
        piece.entries.back().pool_elements.push_back(content);
        ++taken;
        used += size;
        ++least->first;
    }
}

TablePiece Handlespace::table(const std::optional<Cursor>& cursor, std::size_t limit, std::size_t octets,
                              std::optional<std::uint32_t> owner) const {
    TablePiece piece;
    std::size_t taken = 0;
    std::size_t used = 0;
    const auto visit = [&](const Pool& pool) {
        const bool resume = cursor && cursor->pool_handle == pool.handle();
        table_of_pool(pool, resume ? cursor->identifier : 0, resume, limit, octets, owner, taken, used, piece);
        return !piece.next;
    };
    if (!owner) {
        for (auto at = cursor ? ordered_pools_.lower_bound(std::string_view(cursor->pool_handle)) : ordered_pools_.begin();
             at != ordered_pools_.end(); ++at)
            if (!visit(**at)) break;
    } else if (const auto found = owners_.find(*owner); found != owners_.end()) {
        const auto& holdings = found->second.holdings;
        for (auto at = cursor ? holdings.lower_bound(std::string_view(cursor->pool_handle)) : holdings.begin(); at != holdings.end(); ++at)
            if (!visit(*(*at)->pool)) break;
    }
    return piece;
}

template <class Visit>
void Handlespace::each_owned(std::uint32_t owner, Visit&& visit) {
    const auto found = owners_.find(owner);
    if (found == owners_.end()) return;
    for (Holding* holding : found->second.holdings)
        for (const Element& element : holding->elements) visit(Holding::changeable(element));
}

void Handlespace::mark(std::uint32_t owner) {
    const Doing marks = change("mark");
    each_owned(owner, [](Element& element) { element.marked = true; });
}

void Handlespace::unmark(std::uint32_t owner) {
    const Doing unmarks = change("unmark");
    each_owned(owner, [](Element& element) { element.marked = false; });
}

std::vector<std::pair<std::string, wire::PoolElement>> Handlespace::sweep(std::uint32_t owner) {
    const Doing sweeps = change("sweep");
    std::vector<std::pair<std::string, wire::PoolElement>> swept;
    each_owned(owner, [&](Element& element) {
        if (element.marked) swept.emplace_back(element.holding->pool->handle(), element.content);
    });
    std::exception_ptr thrown;
    for (const auto& [handle, element] : swept) {
        try {
            erase(*pool_of(handle)->table_.find(element.identifier));
        } catch (...) {
            if (!thrown) thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
    return swept;
}

}  // namespace rsim::handlespace
