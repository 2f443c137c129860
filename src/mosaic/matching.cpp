#include "matching.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace nucreg::mosaic {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

// A component as a square assignment: n + m rows and columns, so that each object may be paired
// with its own blank at no gain, and blanks with each other.
class Square {
 public:
  Square(std::size_t tens, std::size_t forties) : size_(tens + forties), cost_(size_ * size_, inf) {
    for (std::size_t i = 0; i < tens; ++i) cost_[i * size_ + forties + i] = 0.0;
    for (std::size_t j = 0; j < forties; ++j) cost_[(tens + j) * size_ + j] = 0.0;
    for (std::size_t r = tens; r < size_; ++r)
      for (std::size_t c = forties; c < size_; ++c) cost_[r * size_ + c] = 0.0;
  }
  void set_gain(std::size_t ten, std::size_t forty, double gain) {
    cost_[ten * size_ + forty] = -gain;
  }

  /// Shortest augmenting paths with potentials (Jonker & Volgenant 1987).
  void solve() {
    row_potential_.assign(size_, 0.0);  // no reduced cost may be negative
    for (std::size_t row = 0; row < size_; ++row)
      row_potential_[row] =
          *std::min_element(cost_.begin() + static_cast<std::ptrdiff_t>(row * size_),
                            cost_.begin() + static_cast<std::ptrdiff_t>((row + 1) * size_));
    column_potential_.assign(size_, 0.0);
    row_of_.assign(size_, size_);
    column_of_.assign(size_, size_);
    for (std::size_t row = 0; row < size_; ++row) augment(row);
  }
  [[nodiscard]] bool chosen(std::size_t ten, std::size_t forty) const {
    return column_of_[ten] == forty;
  }
  /// What the sum loses if the chosen pair is forbidden: the shortest alternating cycle through it.
  [[nodiscard]] double margin(std::size_t ten, std::size_t forty) {
    search(ten, forty, forty);
    return distance_[forty];
  }

 private:
  // Distances from a row to the columns over reduced costs, until `stop` or a column without a row
  // is reached; never by the edge (row, banned). Returns the column reached.
  std::size_t search(std::size_t start, std::size_t stop, std::size_t banned) {
    distance_.assign(size_, inf);
    from_.assign(size_, start);
    done_.assign(size_, 0);
    double so_far = 0.0;
    for (std::size_t row = start;;) {
      std::size_t best = size_;
      for (std::size_t c = 0; c < size_; ++c) {
        if (done_[c]) continue;
        const double cost = cost_[row * size_ + c];
        if (cost < inf && !(row == start && c == banned)) {
          const double d =
              so_far + std::max(0.0, cost - row_potential_[row] - column_potential_[c]);
          if (d < distance_[c]) distance_[c] = d, from_[c] = row;
        }
        if (distance_[c] < inf && (best == size_ || distance_[c] < distance_[best])) best = c;
      }
      if (best == size_) return size_;
      done_[best] = 1;
      if (best == stop || row_of_[best] == size_) return best;
      so_far = distance_[best];
      row = row_of_[best];
    }
  }

  void augment(std::size_t start) {
    std::size_t column = search(start, size_, size_);
    const double reach = distance_[column];
    row_potential_[start] += reach;
    for (std::size_t c = 0; c < size_; ++c) {
      if (!done_[c] || c == column) continue;
      row_potential_[row_of_[c]] += reach - distance_[c];
      column_potential_[c] -= reach - distance_[c];
    }
    while (true) {
      const std::size_t row = from_[column], before = column_of_[row];
      row_of_[column] = row;
      column_of_[row] = column;
      if (row == start) return;
      column = before;
    }
  }

  std::size_t size_;
  std::vector<double> cost_, row_potential_, column_potential_, distance_;
  std::vector<std::size_t> row_of_, column_of_, from_;
  std::vector<std::uint8_t> done_;
};

// The edges of one component, solved.
class ComponentSolver {
 public:
  explicit ComponentSolver(const EdgeView& edges, std::size_t tens, std::size_t forties)
      : edges_(edges), ten_at_(tens, none), forty_at_(forties, none) {}

  void solve(std::span<const std::uint32_t> component, std::vector<float>& margin_of_edge) {
    if (component.size() == 1) {
      margin_of_edge[component[0]] = edges_.gain[component[0]];
      return;
    }
    tens_.clear();
    forties_.clear();
    for (const std::uint32_t e : component) {
      place(edges_.ten[e], ten_at_, tens_);
      place(edges_.forty[e], forty_at_, forties_);
    }
    Square square(tens_.size(), forties_.size());
    for (const std::uint32_t e : component)
      square.set_gain(ten_at_[edges_.ten[e]], forty_at_[edges_.forty[e]],
                      static_cast<double>(edges_.gain[e]));
    square.solve();
    for (const std::uint32_t e : component) {
      const std::size_t i = ten_at_[edges_.ten[e]], j = forty_at_[edges_.forty[e]];
      if (square.chosen(i, j)) margin_of_edge[e] = static_cast<float>(square.margin(i, j));
    }
    for (const std::uint32_t i : tens_) ten_at_[i] = none;
    for (const std::uint32_t j : forties_) forty_at_[j] = none;
  }

 private:
  static void place(std::uint32_t object, std::vector<std::uint32_t>& at,
                    std::vector<std::uint32_t>& list) {
    if (at[object] != none) return;
    at[object] = static_cast<std::uint32_t>(list.size());
    list.push_back(object);
  }

  EdgeView edges_;
  std::vector<std::uint32_t> ten_at_, forty_at_, tens_, forties_;
};

// Edges in a graph of their own: objects renumbered.
struct SmallGraph {
  std::vector<std::uint32_t> edge;  // of the whole graph
  std::vector<std::uint32_t> ten, forty;
  std::vector<float> gain;
  std::size_t tens = 0, forties = 0;

  SmallGraph(const EdgeView& all, std::vector<std::uint32_t> edges) : edge(std::move(edges)) {
    tens = renumber(all.ten, ten);
    forties = renumber(all.forty, forty);
    for (const std::uint32_t e : edge) gain.push_back(all.gain[e]);
  }
  [[nodiscard]] EdgeView view() const { return {ten, forty, gain}; }

 private:
  std::size_t renumber(std::span<const std::uint32_t> object,
                       std::vector<std::uint32_t>& out) const {
    std::vector<std::uint32_t> known;
    for (const std::uint32_t e : edge) known.push_back(object[e]);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (const std::uint32_t e : edge)
      out.push_back(static_cast<std::uint32_t>(
          std::lower_bound(known.begin(), known.end(), object[e]) - known.begin()));
    return known.size();
  }
};

// Edges by component and, in it, by number. If a component is too large, without those that are
// cut.
std::vector<std::uint32_t> by_component(const SmallGraph& graph, DisjointSets& sets,
                                        std::size_t max_objects, Matching& out) {
  const auto join = [&](DisjointSets& into, std::uint32_t e, std::size_t limit) {
    return into.join(graph.ten[e], static_cast<std::uint32_t>(graph.tens + graph.forty[e]), limit);
  };
  std::vector<std::uint32_t> usable(graph.gain.size());
  std::iota(usable.begin(), usable.end(), std::uint32_t{0});
  DisjointSets whole = sets;
  for (const std::uint32_t e : usable) join(whole, e, none);
  for (const std::uint32_t e : usable)
    out.largest = std::max<std::size_t>(out.largest, whole.size(whole.root(graph.ten[e])));
  std::sort(usable.begin(), usable.end(), [&](std::uint32_t a, std::uint32_t b) {
    return graph.gain[a] != graph.gain[b] ? graph.gain[a] > graph.gain[b] : a < b;
  });
  const auto cut = std::remove_if(usable.begin(), usable.end(),
                                  [&](std::uint32_t e) { return !join(sets, e, max_objects); });
  out.cut = static_cast<std::size_t>(usable.end() - cut);
  usable.erase(cut, usable.end());
  std::sort(usable.begin(), usable.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::uint32_t ra = sets.root(graph.ten[a]), rb = sets.root(graph.ten[b]);
    return ra != rb ? ra < rb : a < b;
  });
  return usable;
}

// Margins of the chosen edges, others unchanged.
void solve_components(const SmallGraph& graph, std::size_t max_objects, std::span<float> margin,
                      Matching& out) {
  DisjointSets sets(graph.tens + graph.forties);
  const std::vector<std::uint32_t> edges = by_component(graph, sets, max_objects, out);
  std::vector<float> small_margin(graph.gain.size(), -1.0F);
  ComponentSolver solver(graph.view(), graph.tens, graph.forties);
  for (std::size_t begin = 0; begin < edges.size();) {
    const std::uint32_t root = sets.root(graph.ten[edges[begin]]);
    std::size_t end = begin;
    while (end < edges.size() && sets.root(graph.ten[edges[end]]) == root) ++end;
    solver.solve(std::span(edges).subspan(begin, end - begin), small_margin);
    ++out.components;
    begin = end;
  }
  for (std::size_t e = 0; e < small_margin.size(); ++e) margin[graph.edge[e]] = small_margin[e];
}

}  // namespace

Matching best_matching(const EdgeView& edges, std::size_t tens, std::size_t forties,
                       std::size_t max_objects) {
  Matching out;
  std::vector<std::uint8_t> ten_degree(tens, 0), forty_degree(forties, 0);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (!(edges.gain[e] > 0.0F)) continue;
    if (ten_degree[edges.ten[e]] < 2) ++ten_degree[edges.ten[e]];
    if (forty_degree[edges.forty[e]] < 2) ++forty_degree[edges.forty[e]];
  }
  // Most components are one edge.
  std::vector<float> margin(edges.size(), -1.0F);
  std::vector<std::uint32_t> busy;
  for (std::uint32_t e = 0; e < edges.size(); ++e) {
    if (!(edges.gain[e] > 0.0F)) continue;
    if (ten_degree[edges.ten[e]] > 1 || forty_degree[edges.forty[e]] > 1) {
      busy.push_back(e);
      continue;
    }
    margin[e] = edges.gain[e];
    ++out.components;
    out.largest = 2;
  }
  if (!busy.empty()) solve_components({edges, std::move(busy)}, max_objects, margin, out);
  for (std::uint32_t e = 0; e < edges.size(); ++e) {
    if (margin[e] < 0.0F) continue;
    out.edges.push_back(e);
    out.margin.push_back(margin[e]);
  }
  return out;
}

}  // namespace nucreg::mosaic
