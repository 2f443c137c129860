#include "well_fit.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nucreg::mosaic {
namespace {

// Priors that only fix where the frames lie: one tile of each side whose frame
// is free is held.
constexpr double anchor_um = 1000.0;
constexpr double bend_um = 5.0;          // second difference of spline coefficients
constexpr double node_um = 300.0;        // a spline coefficient
constexpr double next_inflation = 16.0;  // if places are nearly known
constexpr std::uint32_t folds = 5;
constexpr double improvement = 0.99;  // a finer deformation must predict so much better

// Where a mean of pairs lies, about the tile's centre, um of the visit.
Point arm(const WellModel& model, std::uint32_t tile, const Point& v, const Point& q) {
  const double k1 = model.k1[model.index(tile)];
  return times(model.camera_of(tile), Point{v[0] + k1 * q[0], v[1] + k1 * q[1]});
}

Point in_well(const WellModel& model, std::uint32_t tile, const Point& visit) {
  return model.side[tile] == Side::forty ? model.deformation(visit) : visit;
}

std::vector<Observation> observations_of(const WellModel& model,
                                         const std::vector<LinkResult>& links,
                                         const Floors& floors) {
  std::vector<Observation> out;
  std::size_t cells = 0;
  for (const LinkResult& link : links) cells += link.cells;
  out.reserve(cells);
  for (std::uint32_t l = 0; l < links.size(); ++l) {
    const LinkResult& link = links[l];
    const std::uint32_t a = link.tile_a, b = link.tile_b;
    if (!model.placed[a] || !model.placed[b]) continue;
    const double noise = model.noise_um[model.kind(a, b)];
    const double floor = model.side[a] == model.side[b] ? floors.within_um : floors.across_um;
    for (std::uint32_t k = 0; k < link.cells; ++k) {
      const LinkCell& c = link.cell[k];
      Observation o{a, b, l, std::sqrt(noise * noise / c.pairs + floor * floor), c.pairs};
      const Point pa = times(model.camera_of(a), c.v_a), pb = times(model.camera_of(b), c.v_b);
      o.constant = minus(pa, pb);
      o.lens_a = times(model.camera_of(a), c.q_a);
      o.lens_b = times(model.camera_of(b), c.q_b);
      if (model.side[a] == Side::forty) o.arm_a = pa;
      if (model.side[b] == Side::forty) o.arm_b = pb;
      o.at = plus(model.centre_um[b], arm(model, b, c.v_b, c.q_b));
      out.push_back(o);
    }
  }
  return out;
}

std::vector<PriorRow> priors_of(const WellModel& model) {
  std::vector<PriorRow> out;
  const auto tiles = static_cast<std::uint32_t>(model.side.size());
  std::array<bool, 2> held{false, model.deformation.kind != DeformationKind::spline};
  for (std::uint32_t t = 0; t < tiles; ++t) {
    const Point at = model.placed[t] ? model.centre_um[t] : Point{};
    const bool hold = model.placed[t] && !held[model.index(t)];
    if (hold) held[model.index(t)] = true;
    const double w = hold ? 1.0 : 1.0 / anchor_um;
    out.push_back({{t, 0, 0}, {w, 0, 0}, {at[0] * w, at[1] * w}});
  }
  const std::uint32_t nx = model.deformation.nx, ny = model.deformation.ny;
  const auto node = [&](std::uint32_t i, std::uint32_t j) { return tiles + j * nx + i; };
  constexpr double w = 1.0 / bend_um;
  for (std::uint32_t j = 0; j < ny; ++j)
    for (std::uint32_t i = 0; i < nx; ++i) {
      out.push_back({{node(i, j), 0, 0}, {1.0 / node_um, 0, 0}, {}});
      if (i + 2 < nx)
        out.push_back({{node(i, j), node(i + 1, j), node(i + 2, j)}, {w, -2.0 * w, w}, {}});
      if (j + 2 < ny)
        out.push_back({{node(i, j), node(i, j + 1), node(i, j + 2)}, {w, -2.0 * w, w}, {}});
    }
  return out;
}

GlobalFit problem_of(const WellModel& model, const std::vector<LinkResult>& links,
                     const Floors& floors) {
  GlobalFit fit;
  fit.side = model.side;
  fit.observations = observations_of(model, links, floors);
  fit.priors = priors_of(model);
  fit.grid = model.deformation;
  return fit;
}

std::vector<double> unknowns_of(const WellModel& model, const GlobalFit& fit) {
  std::vector<double> u(fit.unknowns());
  const std::size_t tiles = model.side.size(), n = fit.shifts();
  for (std::size_t t = 0; t < tiles; ++t) {
    const Point at = model.placed[t] ? model.centre_um[t] : Point{};
    u[t] = at[0];
    u[n + t] = at[1];
  }
  for (std::size_t k = 0; k < model.deformation.dx_um.size(); ++k) {
    u[tiles + k] = model.deformation.dx_um[k];
    u[n + tiles + k] = model.deformation.dy_um[k];
  }
  for (std::size_t k = 0; k < 2; ++k) u[2 * n + k] = model.k1[k];
  if (fit.grid.kind == DeformationKind::affine)
    std::ranges::copy(model.deformation.linear, u.begin() + static_cast<std::ptrdiff_t>(2 * n + 2));
  return u;
}

void take(WellModel& model, const GlobalFit& fit, const std::vector<double>& u) {
  const std::size_t tiles = model.side.size(), n = fit.shifts();
  for (std::size_t t = 0; t < tiles; ++t)
    if (model.placed[t]) model.centre_um[t] = {u[t], u[n + t]};
  for (std::size_t k = 0; k < model.deformation.dx_um.size(); ++k) {
    model.deformation.dx_um[k] = u[tiles + k];
    model.deformation.dy_um[k] = u[n + tiles + k];
  }
  for (std::size_t k = 0; k < 2; ++k) model.k1[k] = u[2 * n + k];
  if (fit.grid.kind == DeformationKind::none) {
    const double grow = u[2 * n + 2], turn = u[2 * n + 3];
    model.camera[1] = times(Matrix2{1.0 + grow, -turn, turn, 1.0 + grow}, model.camera[1]);
  } else if (fit.grid.kind == DeformationKind::affine) {
    std::copy_n(u.begin() + static_cast<std::ptrdiff_t>(2 * n + 2), 4,
                model.deformation.linear.begin());
  }
}

// A spline over all 40x tiles, with room for their halves.
Deformation spline_over(const WellModel& model, double spacing_um) {
  Point low{1e300, 1e300}, high{-1e300, -1e300};
  for (std::uint32_t t = 0; t < model.side.size(); ++t) {
    if (!model.placed[t] || model.side[t] == Side::ten) continue;
    const double half =
        1.5 * std::sqrt(std::abs(determinant(model.camera[1]))) * model.middle_px[t][0];
    for (std::size_t k = 0; k < 2; ++k) {
      low[k] = std::min(low[k], model.centre_um[t][k] - half);
      high[k] = std::max(high[k], model.centre_um[t][k] + half);
    }
  }
  Deformation d;
  d.kind = DeformationKind::spline;
  d.spacing_um = spacing_um;
  d.origin = low;
  const auto nodes = [&](std::size_t k) {
    return static_cast<std::uint32_t>(std::max(1.0, std::ceil((high[k] - low[k]) / spacing_um))) +
           3;
  };
  d.nx = nodes(0);
  d.ny = nodes(1);
  d.dx_um.assign(std::size_t{d.nx} * d.ny, 0.0);
  d.dy_um = d.dx_um;
  return d;
}

// Width of the 40x tiles.
double min_tile_um(const WellModel& model) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < model.side.size(); ++t)
    if (model.side[t] == Side::forty)
      least = std::min(
          least, 2.0 * model.middle_px[t][0] * std::sqrt(std::abs(determinant(model.camera[1]))));
  return least;
}

std::uint32_t fold_of(const Observation& o, std::uint32_t index) {
  return ((o.link * 2654435761U) ^ (index * 40503U)) % folds;
}

// Normal equations of a 40x tile for its turn and scale, beside those that its residuals are
// computed with, and its shift: least squares of its parts over their arms.
struct OwnNormal {
  Eigen::Matrix3d matrix = Eigen::Matrix3d::Zero();
  Eigen::Matrix<double, 3, 2> rhs = Eigen::Matrix<double, 3, 2>::Zero();

  [[nodiscard]] bool empty() const { return matrix(2, 2) == 0.0; }
  /// With what is known of turn and scale without any data.
  [[nodiscard]] Eigen::LDLT<Eigen::Matrix3d> factor() const {
    constexpr double usual = 0.02;  // deviation of an element
    Eigen::Matrix3d sum = matrix;
    sum.diagonal().head<2>().array() += 1.0 / (usual * usual);
    return sum.ldlt();
  }
};

std::vector<OwnNormal> own_normals(const GlobalFit& fit, const FitSolution& solution) {
  std::vector<OwnNormal> normal(fit.side.size());
  const std::vector<double> r = fit.residuals(solution.unknowns);
  for (std::size_t k = 0; k < fit.observations.size(); ++k) {
    const Observation& o = fit.observations[k];
    const Eigen::RowVector2d residual(r[2 * k] * o.sd_um, r[2 * k + 1] * o.sd_um);
    const double weight = solution.weight[k] / (o.sd_um * o.sd_um);
    const auto add = [&](std::uint32_t tile, const Point& arm, double sign) {
      if (fit.side[tile] == Side::ten) return;
      const Eigen::Vector3d x(arm[0], arm[1], 1.0);
      normal[tile].matrix += weight * x * x.transpose();
      normal[tile].rhs -= weight * sign * x * residual;
    };
    add(o.a, o.arm_a, 1.0);
    add(o.b, o.arm_b, -1.0);
  }
  return normal;
}

std::vector<Matrix2> own_cameras(const GlobalFit& fit, const FitSolution& solution) {
  const std::vector<OwnNormal> normal = own_normals(fit, solution);
  std::vector<Matrix2> own(fit.side.size(), Matrix2{1.0, 0.0, 0.0, 1.0});
  for (std::size_t t = 0; t < own.size(); ++t) {
    if (normal[t].empty()) continue;
    const Eigen::Matrix<double, 3, 2> g = normal[t].factor().solve(normal[t].rhs);
    own[t] = {1.0 + g(0, 0), g(1, 0), g(0, 1), 1.0 + g(1, 1)};
  }
  return own;
}

// As if the cameras of its 40x tiles had been these.
void turn_arms(GlobalFit& fit, const std::vector<Matrix2>& own) {
  for (Observation& o : fit.observations) {
    const auto turn = [&](std::uint32_t tile, Point& arm, Point& lens, double sign) {
      if (fit.side[tile] == Side::ten) return;
      const Point turned = times(own[tile], arm), more = minus(turned, arm);
      o.constant = plus(o.constant, {sign * more[0], sign * more[1]});
      arm = turned;
      lens = times(own[tile], lens);
    };
    turn(o.a, o.arm_a, o.lens_a, 1.0);
    turn(o.b, o.arm_b, o.lens_b, -1.0);
  }
}

// Shifts and cameras of tiles in turn: each has what the other leaves.
constexpr int camera_rounds = 4;

// Root mean square of a coordinate of the parts left out, but for what is cut off at 5 deviations.
// All are left out once if there are few, else a fifth of them.
double heldout_um(const WellModel& model, const std::vector<LinkResult>& links,
                  const Floors& floors) {
  constexpr std::size_t few = 500, too_few = 20;
  GlobalFit rest = problem_of(model, links, floors);
  const std::vector<Observation> all = std::exchange(rest.observations, {});
  GlobalFit left_out = rest;
  std::size_t parts = 0;
  for (const Observation& o : all) parts += rest.across(o) ? 1 : 0;
  double sum = 0.0, weight = 0.0;
  std::size_t left = 0;
  for (std::uint32_t fold = 0; fold < (parts < few ? folds : 1); ++fold) {
    rest.observations.clear();
    left_out.observations.clear();
    for (std::uint32_t k = 0; k < all.size(); ++k) {
      const bool out = rest.across(all[k]) && fold_of(all[k], k) == fold;
      (out ? left_out : rest).observations.push_back(all[k]);
    }
    const FitOptions options{.max_iterations = 5, .first_inflation = next_inflation};
    FitSolution s = solve(rest, unknowns_of(model, rest), options);
    for (int round = 0; !model.own.empty() && round < camera_rounds; ++round) {
      const std::vector<Matrix2> own = own_cameras(rest, s);
      turn_arms(rest, own);
      turn_arms(left_out, own);
      s = solve(rest, s.unknowns, {.max_iterations = 1});
    }
    const std::vector<double> r = left_out.residuals(s.unknowns);
    for (std::size_t k = 0; k < left_out.observations.size(); ++k) {
      const double sd_um = left_out.observations[k].sd_um;
      sum += std::min(50.0, r[2 * k] * r[2 * k] + r[2 * k + 1] * r[2 * k + 1]);
      weight += 2.0 / (sd_um * sd_um);
    }
    left += left_out.observations.size();
  }
  if (left < too_few) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(sum / weight);
}

}  // namespace

Laid WellModel::laid(std::uint32_t tile, bool to_well) const {
  Laid out{camera_of(tile), k1[index(tile)], middle_px[tile], centre_um[tile]};
  if (!to_well || side[tile] == Side::ten) return out;
  out.centre_um = deformation(centre_um[tile]);
  out.bend = deformation.gradient(centre_um[tile]);
  return out;
}

LinkError error_of(const WellModel& model, const LinkResult& link) {
  LinkError out;
  double n = 0.0, square = 0.0;
  const bool across = model.side[link.tile_a] != model.side[link.tile_b];
  for (std::uint32_t k = 0; k < link.cells; ++k) {
    const LinkCell& c = link.cell[k];
    Point a = plus(model.centre_um[link.tile_a], arm(model, link.tile_a, c.v_a, c.q_a));
    Point b = plus(model.centre_um[link.tile_b], arm(model, link.tile_b, c.v_b, c.q_b));
    if (across) {
      a = in_well(model, link.tile_a, a);
      b = in_well(model, link.tile_b, b);
    }
    const Point d = minus(a, b);
    n += c.pairs;
    out.shift_um = plus(out.shift_um, {c.pairs * d[0], c.pairs * d[1]});
    square += c.pairs * 0.5 * (d[0] * d[0] + d[1] * d[1]);
  }
  if (n == 0.0) return out;
  out.shift_um = {out.shift_um[0] / n, out.shift_um[1] / n};
  out.residual_um = std::sqrt(square / n + link.scatter_um * link.scatter_um);
  return out;
}

void measure_noise(WellModel& model, const std::vector<LinkResult>& links) {
  std::array<std::vector<std::pair<double, double>>, 3> seen;  // scatter, pairs
  for (const LinkResult& l : links)
    if (l.pairs >= 20.0 && l.scatter_um > 0.0)
      seen[model.kind(l.tile_a, l.tile_b)].emplace_back(l.scatter_um, l.pairs);
  for (std::size_t k = 0; k < 3; ++k) {
    std::ranges::sort(seen[k]);
    double all = 0.0, sum = 0.0;
    for (const auto& s : seen[k]) all += s.second;
    for (const auto& s : seen[k]) {
      sum += s.second;
      if (2.0 * sum < all) continue;
      model.noise_um[k] = s.first;
      break;
    }
  }
  const double known = *std::ranges::max_element(model.noise_um);
  for (double& noise : model.noise_um)
    if (noise == 0.0) noise = known > 0.0 ? known : 1.0;
}

namespace {

const char* method_of(MapSolver solver) {
  switch (solver) {
    case MapSolver::irls:
      return "reweighted least squares, sparse Cholesky";
    case MapSolver::lm:
      return "Levenberg-Marquardt, sparse Cholesky";
    case MapSolver::lbfgs:
      return "L-BFGS, strong Wolfe line search";
  }
  return "?";
}

// What all 40x tiles have in common is of their side's camera.
void share_mean_camera(WellModel& model) {
  if (model.own.empty()) return;
  Matrix2 mean{};
  double n = 0.0;
  const auto of_mean = [&](std::uint32_t t) {
    return model.side[t] == Side::forty && model.placed[t];
  };
  for (std::uint32_t t = 0; t < model.own.size(); ++t) {
    if (!of_mean(t)) continue;
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += model.own[t][k];
    n += 1.0;
  }
  if (n == 0.0) return;
  for (double& element : mean) element /= n;
  model.camera[1] = times(mean, model.camera[1]);
  for (std::uint32_t t = 0; t < model.own.size(); ++t)
    if (of_mean(t)) model.own[t] = times(model.own[t], inverse(mean));
}

}  // namespace

WellFit fit_well(WellModel& model, const std::vector<LinkResult>& links, const Floors& floors,
                 double inflation, const MapFit& by, int max_iterations) {
  WellFit out;
  auto problem = std::make_shared<GlobalFit>(problem_of(model, links, floors));
  problem->loss = by.loss;
  const std::vector<double> start = unknowns_of(model, *problem);
  const FitOptions options{
      .solver = by.solver, .max_iterations = max_iterations, .first_inflation = inflation};
  out.solution = solve(*problem, start, options);
  std::uint32_t evaluations = out.solution.iterations;
  for (int round = 0; !model.own.empty() && round < camera_rounds; ++round) {
    const std::vector<Matrix2> more = own_cameras(*problem, out.solution);
    turn_arms(*problem, more);
    for (std::size_t t = 0; t < more.size(); ++t) model.own[t] = times(more[t], model.own[t]);
    const bool last = round + 1 == camera_rounds;
    out.solution = solve(*problem, out.solution.unknowns,
                         {.solver = by.solver, .max_iterations = last ? max_iterations : 2});
    evaluations += out.solution.iterations;
  }
  take(model, *problem, out.solution.unknowns);
  share_mean_camera(model);
  std::vector<double> parts(links.size());
  out.link_weight.assign(links.size(), 0.0);
  for (std::size_t k = 0; k < problem->observations.size(); ++k) {
    const Observation& o = problem->observations[k];
    out.link_weight[o.link] += o.pairs * out.solution.weight[k];
    parts[o.link] += o.pairs;
  }
  for (std::size_t l = 0; l < links.size(); ++l)
    if (parts[l] > 0.0) out.link_weight[l] /= parts[l];
  FitFacts& facts = out.facts;
  facts.solver = method_of(by.solver);
  facts.loss = name_of(by.loss);
  facts.unknowns = static_cast<std::uint32_t>(problem->unknowns());
  facts.observations = static_cast<std::uint32_t>(problem->observations.size());
  facts.evaluations = evaluations;
  facts.links = static_cast<std::uint32_t>(links.size());
  facts.objective = out.solution.objective;
  out.problem = std::move(problem);
  return out;
}

std::vector<double> own_camera_deviations(const WellModel& model, const WellFit& fit) {
  std::vector<double> out(model.side.size(), 0.0);
  if (model.own.empty()) return out;
  const std::vector<OwnNormal> normal = own_normals(*fit.problem, fit.solution);
  for (std::size_t t = 0; t < out.size(); ++t) {
    if (normal[t].empty()) continue;
    const Eigen::Vector3d shift = normal[t].factor().solve(Eigen::Vector3d::UnitZ());
    out[t] = std::sqrt(std::max(0.0, shift[2] - 1.0 / normal[t].matrix(2, 2)));
  }
  return out;
}

namespace {

// Of links across, for each 40x tile. Three determine its shift and its camera, whatever they are.
constexpr double enough_parts = 4.0;
double parts_per_tile(const WellModel& model, const std::vector<LinkResult>& links) {
  double parts = 0.0, tiles = 0.0;
  for (const LinkResult& link : links)
    if (model.side[link.tile_a] != model.side[link.tile_b] && model.placed[link.tile_a] &&
        model.placed[link.tile_b])
      parts += link.cells;
  for (std::uint32_t t = 0; t < model.side.size(); ++t)
    tiles += model.placed[t] && model.side[t] == Side::forty ? 1.0 : 0.0;
  return tiles > 0.0 ? parts / tiles : 0.0;
}

struct Chosen {
  WellModel model;
  double heldout_um = 0.0;
};

Chosen by_heldout(const WellModel& model, const std::vector<LinkResult>& links,
                  const Floors& floors, FitFacts& facts) {
  Point mean{};
  double n = 0.0;
  for (std::size_t t = 0; t < model.side.size(); ++t)
    if (model.placed[t]) {
      mean = plus(mean, model.centre_um[t]);
      n += 1.0;
    }
  const auto with = [&](Deformation d) {
    WellModel trial = model;
    trial.deformation = std::move(d);
    return trial;
  };
  Chosen best{with({})};
  best.heldout_um = facts.heldout_none_um = heldout_um(best.model, links, floors);
  Deformation affine;
  affine.kind = DeformationKind::affine;
  if (n > 0.0) affine.origin = {mean[0] / n, mean[1] / n};
  facts.heldout_affine_um = heldout_um(with(affine), links, floors);
  if (facts.heldout_affine_um < improvement * best.heldout_um)
    best = {with(affine), facts.heldout_affine_um};
  facts.heldout_spline_um = std::numeric_limits<double>::quiet_NaN();
  // A link has four cells along an edge, and tiles of both sides lie across each other. What is
  // finer than half a tile is looked at where it does not take long.
  constexpr double usual = 0.5, narrowest = 0.3;
  constexpr std::uint32_t max_usual_nodes = 20'000, max_fine_nodes = 4000;
  const double tile_um = min_tile_um(model);
  for (const double knot : {2000.0, 1000.0, 500.0, 300.0, 200.0, 130.0}) {
    if (knot < narrowest * tile_um) break;
    WellModel trial = with(spline_over(model, knot));
    const std::uint32_t nodes = trial.deformation.nx * trial.deformation.ny;
    if (nodes > (knot < usual * tile_um ? max_fine_nodes : max_usual_nodes)) break;
    const double held = heldout_um(trial, links, floors);
    if (!(held >= facts.heldout_spline_um)) facts.heldout_spline_um = held;
    if (held < improvement * best.heldout_um) best = {std::move(trial), held};
  }
  return best;
}

}  // namespace

void choose_deformation(WellModel& model, const std::vector<LinkResult>& links,
                        const Floors& floors, FitFacts& facts) {
  const Chosen alike = by_heldout(model, links, floors, facts);
  model.deformation = alike.model.deformation;
  // A microscope's camera stays as it is, and tiles of their own ask for four numbers more each:
  // this must say much more. What it says the deformation need not.
  constexpr double clear_improvement = 0.9;
  if (parts_per_tile(model, links) < enough_parts) return;
  WellModel each = model;
  each.own.assign(model.side.size(), Matrix2{1.0, 0.0, 0.0, 1.0});
  facts.heldout_own_um = heldout_um(each, links, floors);
  if (!(facts.heldout_own_um < clear_improvement * alike.heldout_um)) return;
  FitFacts of_each;
  const Chosen own = by_heldout(each, links, floors, of_each);
  facts.heldout_own_um = own.heldout_um;
  model.deformation = own.model.deformation;
  model.own = own.model.own;
}

}  // namespace nucreg::mosaic
