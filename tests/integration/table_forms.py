"""The table of one set of nuclei as the programs of laboratories write it."""

import io

import numpy as np

HALF = ["--pixel-um-10x", "0.5"]  # halves lose no bit


def rows(header, lines, separator=",", end="\n"):
    return end.join(separator.join(map(str, line)) for line in [header, *lines]) + end


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def forms(points):
    """(what, name of the file, its bytes, options of match, whether it has labels), for labels
    100, 101, ... that the plain table has, too."""
    xy = points.tolist()
    n = range(100, 100 + len(xy))
    um = (points * 0.5).tolist()
    plain = rows(["label", "x", "y"], [[k, x, y] for k, (x, y) in zip(n, xy)])
    cellprofiler = rows(
        ["ImageNumber", "ObjectNumber", "Location_Center_X", "Location_Center_Y",
         "Location_Center_Z", "AreaShape_Area"],
        [[1, k, x, y, 0, "" if k % 7 else 30] for k, (x, y) in zip(n, xy)])
    measured = rows(
        ["ImageNumber", "Nuclei_ObjectNumber", "Nuclei_AreaShape_Center_X",
         "Nuclei_AreaShape_Center_Y"], [[1, k, x, y] for k, (x, y) in zip(n, xy)])
    qupath = rows(["Image", "Object ID", "Centroid X µm", "Centroid Y µm", "Nucleus: Area µm^2"],
                  [["a.tif", f"ab-{k}", x, y, 3.5] for k, (x, y) in zip(n, um)], "\t")
    imagej = rows([" ", "Area", "Mean", "X", "Y"],
                  [[i, 30, 9, x, y] for i, (x, y) in enumerate(xy, 1)], "\t")
    skimage = rows(["", "label", "centroid-0", "centroid-1", "area"],
                   [[i, k, y, x, 30.0] for i, (k, (x, y)) in enumerate(zip(n, xy))])
    napari = rows(["index", "axis-0", "axis-1"], [[i, y, x] for i, (x, y) in enumerate(xy)])
    brieflow = rows(["well", "tile", "label", "i", "j", "area"],
                    [["A1", 5, k, y, x, 30] for k, (x, y) in zip(n, xy)], "\t")
    trackmate = "\n".join([
        "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,FRAME",
        "Label,Spot ID,Track ID,Quality,X,Y,Z,Frame", "Label,Spot ID,Track ID,Quality,X,Y,Z,Frame",
        ",,,(quality),(micron),(micron),(micron),",
        *(f"ID{k},{k},,9.5,{x},{y},0.0,0" for k, (x, y) in zip(n, um))]) + "\n"
    imaris = "\n\nPosition\n ==================== \n" + "\n".join([
        "Position X,Position Y,Position Z,Unit,Category,Collection,Time,ID,",
        *(f"{x},{y},0,um,Spot,Position,1,{k}," for k, (x, y) in zip(n, um))]) + "\n"
    comma = rows(["label", "x", "y"], [[k, x, y] for k, (x, y) in zip(n, xy)], ";", "\r\n")
    named = rows(["nucleus", "left, px", "down"], [[k, x, y] for k, (x, y) in zip(n, xy)], ";")
    return [
        ("plain", "plain.csv", plain.encode(), [], True),
        ("CellProfiler", "MyExpt_Nuclei.csv", cellprofiler.encode(), [], True),
        ("CellProfiler, measured", "Nuclei.csv", measured.encode(), [], True),
        ("QuPath", "qupath.tsv", qupath.encode(), HALF, False),
        ("QuPath in Latin-1", "qupath.txt", qupath.encode("latin-1"), HALF, False),
        ("ImageJ", "Results.xls", imagej.encode(), [], False),
        ("scikit-image", "regionprops.csv", skimage.encode(), [], True),
        ("napari", "points.csv", napari.encode(), [], False),
        ("brieflow", "phenotype_info.tsv", brieflow.encode(), [], True),
        ("TrackMate", "spots.csv", trackmate.encode(), HALF, True),
        ("Imaris", "Position.csv", imaris.encode(), HALF, True),
        ("decimal commas", "comma.csv", comma.replace(".", ",").encode("utf-8-sig"), [], True),
        ("UTF-16", "utf16.txt", plain.replace(",", "\t").encode("utf-16"), [], True),
        ("old line ends", "mac.csv", plain.replace("\n", "\r").encode(), [], True),
        ("columns by name", "own.csv", named.encode(),
         ["--columns-10x", "x=left, px,y=down,label=nucleus"], True),
        ("NumPy, row first", "points.npy", npy(points[:, ::-1]), [], False),
        ("NumPy, x first", "xy.NPY", npy(points), ["--npy-order-10x", "xy"], False),
    ]
