#!/usr/bin/python3
"""Records the training and held-out frames: `record.py [--seed 1] [--out out]`, as root on Debian."""

import argparse
import random
import subprocess
import sys
import tarfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from scenes import Scene, all_scenes
from screen import Screen

PACKAGES = """
xvfb openbox x11-xserver-utils xdotool feh xterm geany mousepad pcmanfm papirus-icon-theme chromium
gnuplot-x11 xscreensaver-gl xscreensaver-gl-extra glmark2-x11 mate-backgrounds
lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 ukui-wallpapers gnome-backgrounds palapeli-data
libpython3.11-stdlib perl-modules linux-libc-dev libstdc++-12-dev fonts-dejavu fonts-hack
fonts-firacode fonts-inconsolata fonts-jetbrains-mono fonts-hosny-amiri fonts-cantarell
fonts-roboto-unhinted fonts-open-sans rxvt-unicode stterm scite featherpad vim python3-matplotlib fonts-liberation fonts-noto-core fonts-noto-mono fonts-noto-cjk fonts-urw-base35
"""
BACKGROUNDS = Path("/usr/share/backgrounds")
# File names without their endings; what is held out never shows in training, not even as a wallpaper.
PHOTOS = {
    "train": """
Dragonfly_by_Bolly Fossa_by_Jasper_Roks Kleiber_by_Lukas_Baubkus Wine_by_Jakkub_Mede
Picture_1A_by_freespace aitzgorri_by_Aitzol_Berasategi friends_by_Aitzol_Berasategi
greentock_by_Peter_Nerlich rhythm life_by_Aitzol_Berasategi seeding_by_Clements_Engelhardt
sunset_by_Aitzol_Berasategi the-mouse Infinite-Sea_by_Aury88 Painting-Colors_by__herobrine7gamer
umang_by_Abhishek_Mudgal goldfish desert calla free_by_Peter_Nerlich analogpattern_by_Peter_Nerlich
2004default city string Elephants Flow Silk Spring FreshFlower GreenMeadow RainDrops Wood Blinds
castle-maintenon citrus-fruits adwaita-d truchet-l wood-d
""".split(),
    "heldout": """
Bridge_by_Sander_Klootwijk picosdeeuropa_by_Aitzol_Berasategi Garden Dune LadyBird YellowFlower
Storm cincinnati-bridge panther-chameleon-female european-honey-bee
""".split(),
}


def wallpapers(split: str) -> list[str]:
    folders = [BACKGROUNDS, Path("/usr/share/palapeli/collection")]
    files = sorted(f for folder in folders for f in folder.rglob("*.*") if f.suffix != ".desktop")
    return [str(next(f for f in files if f.stem == name)) for name in PHOTOS[split]]


def save(image: Image.Image, out: Path, split: str, kind: str, name: str) -> None:
    folder = out / split
    folder.mkdir(parents=True, exist_ok=True)
    image.save(folder / f"{kind}-{name}.webp", lossless=True, method=4, quality=60)


def record(scene: Scene, number: int, seed: int, out: Path) -> None:
    rng = random.Random(zlib.crc32(f"{seed} {number} {scene.name}".encode()))
    with Screen(100 + number, subpixel=number % 2 == 0, dark=rng.random() < 0.5) as screen:
        scene.play(screen, rng)
        time.sleep(scene.settle)
        for frame in range(scene.frames):
            if frame and scene.between:
                screen.run(list(scene.between))
                time.sleep(0.7)
            pixels = screen.pixels()
            if pixels.std() < 4:
                continue  # nothing was drawn
            image = Image.fromarray(pixels)
            if scene.split == "train" and scene.kind == "render":
                image = image.crop((320, 104, 960, 616))  # the middle; the borders are mostly black
            save(image, out, scene.split, scene.kind, f"{scene.name}-{number:03}-{frame}")


def cut_photos(seed: int, out: Path) -> None:
    """Training gets crops of photographs at several reductions, held-out gets whole 1280x720 frames."""
    rng = random.Random(seed)
    for split in PHOTOS:
        for path in wallpapers(split):
            image = Image.open(path).convert("RGB")
            for i in range(4 if split == "train" else 1):
                width, height = (320, 320) if split == "train" else (1280, 720)
                least = max(width / image.width, height / image.height)
                factor = max(least, rng.choice([0.15, 0.3, 0.5])) if split == "train" else least
                small = image.resize(
                    (max(width, round(image.width * factor)), max(height, round(image.height * factor))),
                    Image.LANCZOS,
                )
                x, y = rng.randint(0, small.width - width), rng.randint(0, small.height - height)
                save(small.crop((x, y, x + width, y + height)), out, split, "photo", f"{Path(path).stem}-{i}")


def pack(out: Path, file: Path) -> None:
    """All training frames and every second held-out one in a tar file, to train elsewhere."""
    chosen = [*sorted(out.glob("train/*.webp")), *sorted(out.glob("heldout/*.webp"))[::2]]
    with tarfile.open(file, "w") as packed:
        for path in chosen:
            packed.add(path, str(path.relative_to(out)))
    print(f"{len(chosen)} frames, {file.stat().st_size / 1e6:.1f} MB in {file}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    options.add_argument("--no-install", action="store_true", help="the packages are there already")
    options.add_argument("--only", default="", help="record the scenes of this name only")
    options.add_argument("--first", type=int, default=0, help="begin at this scene, to add to what is there")
    options.add_argument("--pack", type=Path, help="record nothing: put what is in --out into this tar file")
    chosen = options.parse_args()
    if chosen.pack:
        return pack(chosen.out, chosen.pack)
    if not chosen.no_install:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES.split()], check=True)
    if not chosen.only:
        cut_photos(chosen.seed, chosen.out)
    scenes = all_scenes({split: wallpapers(split) for split in PHOTOS})
    with ThreadPoolExecutor(3) as pool:
        jobs = {
            pool.submit(record, s, n, chosen.seed, chosen.out): s
            for n, s in enumerate(scenes)
            if chosen.only in s.name and n >= chosen.first
        }
        for job, scene in jobs.items():
            job.result() if not job.exception() else print(
                f"{scene.name}: {job.exception()}", file=sys.stderr
            )
    total = sum(f.stat().st_size for f in chosen.out.rglob("*.webp"))
    print(f"{len(list(chosen.out.rglob('*.webp')))} frames, {total / 1e6:.1f} MB in {chosen.out}")


if __name__ == "__main__":
    main()
