"""A small well as two visits to a microscope would show it: tables of nuclei, sheets, and the
truth."""

import numpy as np

TEN_UM, FORTY_UM = 0.65, 0.1625
TEN_PX, FORTY_PX = 900, 1200


def turned(degrees):
    a = np.radians(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def tissue(random, size_um, spacing_um=14.0, jitter=0.3):
    """Nuclei as irregular as in tissue, none closer than 6 um. jitter: of a lattice, in
    spacings."""
    count = int(size_um / spacing_um) + 1
    y, x = np.mgrid[:int(count / 0.866), :count]
    lattice = np.c_[(x + 0.5 * (y % 2)).ravel() * spacing_um, y.ravel() * 0.866 * spacing_um]
    points = lattice + random.normal(0, jitter * spacing_um, lattice.shape)
    points = points[(points > 0).all(1) & (points < size_um).all(1)]
    points = points[random.random(len(points)) < 0.85]
    kept = []
    cells = {}
    for point in points:
        cell = tuple((point // 6.0).astype(int))
        near = [other for i in (-1, 0, 1) for j in (-1, 0, 1)
                for other in cells.get((cell[0] + i, cell[1] + j), [])]
        if all(np.hypot(*(point - other)) >= 6.0 for other in near):
            cells.setdefault(cell, []).append(point)
            kept.append(point)
    return np.array(kept)


def tile_table(labels, px, area):
    lines = [f"{label},{x:.3f},{y:.3f},{area}" for label, (x, y) in zip(labels, px)]
    return "label,x,y,area_px\n" + "".join(line + "\n" for line in lines)


class MadeWell:
    """Centres of tiles, tables and truth. `um_to_px`: of the camera of a side."""

    def __init__(self, seed=1, forty_turn_deg=1.3, mirrored=False, spacing_um=14.0, wave_um=0.0,
                 jitter=0.3, noise_px=(0.3, 0.6)):
        random = np.random.default_rng(seed)
        self.size_um = 1100.0
        self.nuclei = tissue(random, self.size_um, spacing_um, jitter)
        # The plate was put in again for the second visit.
        middle = self.size_um / 2
        self.visit = (self.nuclei - middle) @ turned(0.6).T + middle + random.normal(0, 40, 2)
        # Finer than any tile can tell from a turn.
        self.visit += wave_um * np.sin(2 * np.pi * self.nuclei[:, ::-1] / 150.0)
        flip = np.diag([-1.0, 1.0]) if mirrored else np.eye(2)
        self.cameras = {10: turned(0.2) / TEN_UM, 40: flip @ turned(forty_turn_deg) / FORTY_UM}
        self.tiles = {10: self.side(random, 10, self.nuclei, TEN_PX, noise_px[0]),
                      40: self.side(random, 40, self.visit, FORTY_PX, noise_px[1])}

    def side(self, random, side, nuclei, size_px, noise_px):
        camera = self.cameras[side]
        step = 0.9 * size_px * (TEN_UM if side == 10 else FORTY_UM)
        low, high = nuclei.min(0), nuclei.max(0)
        count = np.maximum(1, np.ceil((high - low) / step - 0.15).astype(int))
        tiles = []
        for row in range(count[1]):
            for column in range(count[0]):
                place = (low + high) / 2 + (np.array([column, row]) - (count - 1) / 2) * step
                real = place + random.normal(0, 1.0, 2)
                px = (nuclei - real) @ camera.T + (size_px - 1) / 2
                seen = (px > 1).all(1) & (px < size_px - 2).all(1) & (random.random(len(px)) > 0.06)
                order = random.permutation(np.flatnonzero(seen))
                tiles.append({"tile": len(tiles), "row": row, "column": column, "stage": place,
                              "real": real, "nuclei": order,
                              "px": px[order] + random.normal(0, noise_px, (len(order), 2))})
        return tiles

    def split(self, side, part, apart_px):
        """In each tile that part of the nuclei is found as two pieces."""
        random = np.random.default_rng(8)
        size_px = TEN_PX if side == 10 else FORTY_PX
        for tile in self.tiles[side]:
            px = tile["px"]
            inside = (px > apart_px).all(1) & (px < size_px - apart_px).all(1)
            torn = np.flatnonzero(inside & (random.random(len(px)) < part))
            turn = random.uniform(0, 2 * np.pi, len(torn))
            off = apart_px / 2 * np.stack([np.cos(turn), np.sin(turn)], 1)
            tile["px"] = np.concatenate([px, px[torn] - off])
            tile["px"][torn] += off
            tile["nuclei"] = np.concatenate([tile["nuclei"], tile["nuclei"][torn]])

    def merge(self, side, part, apart_um):
        """That part of the nuclei that lie so near to each other is found as one. Which are."""
        random = np.random.default_rng(9)
        free, merged = np.ones(len(self.nuclei), bool), {}
        for i, nucleus in enumerate(self.nuclei):
            away = np.hypot(*(self.nuclei - nucleus).T) + 1e9 * ~free
            away[i] = np.inf
            j = int(away.argmin())
            if free[i] and away[j] < apart_um and random.random() < 2 * part:
                free[[i, j]] = False
                merged[i], merged[j] = j, i
        for tile in self.tiles[side]:
            at = {int(n): k for k, n in enumerate(tile["nuclei"])}
            kept = np.ones(len(at), bool)
            for n, k in at.items():
                if n < merged.get(n, -1) and merged[n] in at:
                    tile["px"][k] = (tile["px"][k] + tile["px"][at[merged[n]]]) / 2
                    kept[at[merged[n]]] = False
            tile["px"], tile["nuclei"] = tile["px"][kept], tile["nuclei"][kept]
        return merged

    def write(self, folder, stage=True, label=True, well=None, unit=1.0, sides=(10, 40)):
        """Writes ten.csv and forty.csv with their tables below `folder`."""
        for side in sides:
            (folder / f"{side}x").mkdir(parents=True, exist_ok=True)
            size, pixel = (TEN_PX, TEN_UM) if side == 10 else (FORTY_PX, FORTY_UM)
            lines = []
            for tile in self.tiles[side]:
                name = f"{side}x/tile_{tile['tile']:02}.csv"
                text = tile_table(range(1, len(tile["px"]) + 1), tile["px"], 200)
                if not label:
                    text = "".join(line.partition(",")[2] for line in text.splitlines(True))
                (folder / name).write_text(text)
                x, y = tile["stage"] * unit
                lines.append(f"{name},{tile['tile']}" + (f",{x:.4f},{y:.4f}" if stage else "") +
                             f",{pixel},{size},{size}" + (f",{well}" if well else "") + "\n")
            header = ("file,tile" + (",x_um,y_um" if stage else "") + ",pixel_um,width_px,height_px"
                      + (",well" if well else "") + "\n")
            name = "ten.csv" if side == 10 else "forty.csv"
            (folder / name).write_text(header + "".join(lines))

    def nucleus(self, side, tile, label):
        """Which nucleus a label of a tile is."""
        return int(self.tiles[side][tile]["nuclei"][label - 1])

    def seen(self, side):
        return {int(i) for tile in self.tiles[side] for i in tile["nuclei"]}
