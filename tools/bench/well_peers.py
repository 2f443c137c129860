#!/usr/bin/env -S /usr/bin/python3 -B
"""The two ways in which pipelines of today pair the nuclei of a well, written again from their
description. usage: well_peers.py METHOD WELL OUT.npy

WELL is a folder that make_well.py made; OUT gets rows of tile_10x, label_10x, tile_40x, label_40x.
Both take from the user what those pipelines ask for: that the cameras are not mirrored nor turned
by quarters, and the magnification. Positions of the stage are trusted.

one-affine    Tiles are pasted, unturned, at their stage positions, rounded to pixels of the 10x
              side. One affine map for the well comes from triangles of one window; nearest
              neighbours within 2 px.
tile-pairs    One affine map for each pair of tiles, by triangles and RANSAC; a model of the stage,
              grown from a few seeds, says which pairs to try. Nearest neighbours within 2 px of the
              10x side; where a nucleus is in several pairs, the nearest is kept.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.spatial import Delaunay, cKDTree

REACH_PX = 2.0        # of a pair, 10x px
HASH_REACH = 0.3      # of two triangles alike
MIN_TRIANGLES = 6
RANSAC_TRIALS = 1000
DETERMINANT = 0.1     # relative, about the nominal one
MIN_SCORE = 0.1       # part of triangles alike that a map explains
WINDOW_UM = 1500.0


class Tile:
    def __init__(self, row, folder):
        self.name = int(row["tile"])
        self.pixel = float(row["pixel_um"])
        self.size = np.array([float(row["width_px"]), float(row["height_px"])])
        self.stage = np.array([float(row["x_um"]), float(row["y_um"])])
        with open(folder / row["file"], newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.label = np.array([int(r["label"]) for r in rows], int)
        self.px = np.array([(float(r["x"]), float(r["y"])) for r in rows], float).reshape(-1, 2)
        self.hash = None


def read(folder):
    sides = []
    for name in ("ten.csv", "forty.csv"):
        with open(folder / name, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if "x_um" not in rows[0]:
            raise SystemExit("both ways need stage positions")
        sides.append([Tile(row, folder) for row in rows])
    return sides


def triangles(points):
    """Centres of Delaunay triangles with three neighbours, and their hash: the nine edges that
    touch them, scaled by the length of all. It is not changed by shift and scale, and little by
    turns of a few degrees."""
    if len(points) < 8:
        return np.empty((0, 2)), np.empty((0, 18))
    mesh = Delaunay(points)
    inner = np.flatnonzero((mesh.neighbors >= 0).all(1))
    corner = mesh.simplices[inner]
    # The vertex that each neighbour adds, opposite to the corner of the same place.
    beyond = mesh.simplices[mesh.neighbors[inner]]
    added = np.empty_like(corner)
    for k in range(3):
        strange = ~(beyond[:, k, :, None] == corner[:, None, :]).any(2)
        added[:, k] = beyond[:, k][strange]
    # Begin with the highest corner, and go round the same way.
    p = points[corner]
    turn = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) < 0
    corner[turn], added[turn] = corner[turn][:, [0, 2, 1]], added[turn][:, [0, 2, 1]]
    start = points[corner][:, :, 1].argmin(1)
    order = (start[:, None] + np.arange(3)) % 3
    corner = np.take_along_axis(corner, order, 1)
    added = np.take_along_axis(added, order, 1)
    p, q = points[corner], points[added]
    edges = np.concatenate([p[:, [1, 2, 0]] - p, q - p[:, [1, 2, 0]], q - p[:, [2, 0, 1]]], axis=1)
    vectors = edges.reshape(len(edges), 18)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return p.mean(1), vectors / np.maximum(length, 1e-12)


def hashed(tile):
    if tile.hash is None:
        tile.hash = triangles(tile.px)
    return tile.hash


def fit(a, b):
    """The affine map from a to b by least squares, 3 x 2."""
    return np.linalg.lstsq(np.c_[a, np.ones(len(a))], b, rcond=None)[0]


def mapped(points, affine):
    return points @ affine[:2] + affine[2]


def align(source, target, determinant, seed=0):
    """An affine map from source to target triangles and its score; None if there is none."""
    if min(len(source[0]), len(target[0])) < MIN_TRIANGLES:
        return None
    distance, nearest = cKDTree(target[1]).query(source[1])
    alike = np.flatnonzero(distance < HASH_REACH)
    if len(alike) < MIN_TRIANGLES:
        return None
    a, b = source[0][alike], target[0][nearest[alike]]
    rng = np.random.default_rng(seed)
    three = rng.integers(0, len(a), (RANSAC_TRIALS, 3))
    corners = np.concatenate([a[three], np.ones((RANSAC_TRIALS, 3, 1))], axis=2)
    corners = np.where(abs(np.linalg.det(corners))[:, None, None] > 1e-6, corners, np.eye(3))
    maps = np.linalg.solve(corners, b[three])
    usual = abs(np.linalg.det(maps[:, :2]) / determinant - 1) < DETERMINANT
    best, inliers = None, np.zeros(len(a), bool)
    for affine in maps[usual]:
        near = ((mapped(a, affine) - b) ** 2).sum(1) < REACH_PX ** 2
        if near.sum() > inliers.sum():
            best, inliers = affine, near
    if best is None or inliers.sum() < MIN_TRIANGLES:
        return None
    return fit(a[inliers], b[inliers]), inliers.mean()


def greedy(pairs, distances):
    """Rows of pairs in which no end is used twice, nearest first."""
    used, kept = (set(), set()), []
    for row in np.argsort(distances, kind="stable"):
        ten, forty = tuple(pairs[row, :2]), tuple(pairs[row, 2:])
        if ten in used[0] or forty in used[1]:
            continue
        used[0].add(ten)
        used[1].add(forty)
        kept.append(row)
    return pairs[kept]


def one_affine(ten, forty):
    pixel = ten[0].pixel
    sides = []
    for tiles in (ten, forty):
        points = []
        for tile in tiles:
            corner = np.trunc((tile.stage - (tile.size - 1) / 2 * tile.pixel) / pixel)
            points.append(corner + tile.px * (tile.pixel / pixel))
        sides.append((np.concatenate(points), np.repeat([t.name for t in tiles],
                                                        [len(t.px) for t in tiles]),
                      np.concatenate([t.label for t in tiles])))
    (a, tile_a, label_a), (b, tile_b, label_b) = sides
    middle = (a.min(0) + a.max(0)) / 2
    window = [p[(np.abs(p - middle) < WINDOW_UM / 2 / pixel).all(1)] for p in (b, a)]
    found = align(triangles(window[0]), triangles(window[1]), 1.0)
    if found is None:
        return np.empty((0, 4), int)
    distance, nearest = cKDTree(a).query(mapped(b, found[0]), distance_upper_bound=REACH_PX)
    hit = np.flatnonzero(np.isfinite(distance))
    pairs = np.c_[tile_a[nearest[hit]], label_a[nearest[hit]], tile_b[hit], label_b[hit]]
    return greedy(pairs, distance[hit])


def seeds(ten, forty, determinant):
    """Pairs of tiles whose triangles fit: stage position of the 40x tile, its centre at 10x in um
    of the 10x stage."""
    full = sorted(forty, key=lambda t: -len(t.px))[:max(len(forty) // 2, 1)]
    tried = full[::max(len(full) // 12, 1)]
    stage = cKDTree([t.stage for t in ten])
    known = []
    for tile in tried:
        for i in np.atleast_1d(stage.query(tile.stage, k=min(5, len(ten)))[1]):
            found = align(hashed(tile), hashed(ten[i]), determinant)
            if found and found[1] > MIN_SCORE:
                centre = mapped((tile.size - 1)[None] / 2, found[0])[0]
                known.append((tile.stage,
                              ten[i].stage + (centre - (ten[i].size - 1) / 2) * ten[i].pixel))
    return known


def stage_model(known):
    """40x to 10x stage positions: affine, by RANSAC since a seed may be wrong."""
    a, b = (np.array(v) for v in zip(*known))
    rng, best = np.random.default_rng(0), None
    for _ in range(200):
        three = rng.choice(len(a), 3, replace=False)
        try:
            affine = np.linalg.solve(np.c_[a[three], np.ones(3)], b[three])
        except np.linalg.LinAlgError:
            continue
        near = np.linalg.norm(mapped(a, affine) - b, axis=1) < 30.0
        if best is None or near.sum() > best.sum():
            best = near
    return fit(a[best], b[best])


def tile_pairs(ten, forty):
    determinant = (forty[0].pixel / ten[0].pixel) ** 2
    known = seeds(ten, forty, determinant)
    if len(known) < 3:
        return np.empty((0, 4), int)
    model = stage_model(known)
    pairs, distances = [], []
    half = (ten[0].size * ten[0].pixel + forty[0].size * forty[0].pixel) / 2
    for tile in forty:
        centre = mapped(tile.stage[None], model)[0]
        for other in ten:
            if (np.abs(other.stage - centre) > half).any() or not len(tile.px):
                continue
            found = align(hashed(tile), hashed(other), determinant)
            if found is None or found[1] < MIN_SCORE:
                continue
            distance, nearest = cKDTree(mapped(tile.px, found[0])).query(
                other.px, distance_upper_bound=REACH_PX)
            hit = np.flatnonzero(np.isfinite(distance))
            pairs.append(np.c_[np.full(len(hit), other.name), other.label[hit],
                               np.full(len(hit), tile.name), tile.label[nearest[hit]]])
            distances.append(distance[hit])
    if not pairs:
        return np.empty((0, 4), int)
    return greedy(np.concatenate(pairs), np.concatenate(distances))


METHODS = {"one-affine": one_affine, "tile-pairs": tile_pairs}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in METHODS:
        sys.exit(__doc__)
    np.save(sys.argv[3], METHODS[sys.argv[1]](*read(Path(sys.argv[2]))))
