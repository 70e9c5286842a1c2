"""What a rendered crop is made of, each part with a switch, so that a study can leave it out."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Ingredients:
    """All on by default. A part that is off is still drawn from the generator, so the rest stays as it was.

    =============  ==========================================================================================
    halftone       dots and grain of a print, lines of the print head
    ink            gamut, ink floor, dot gain, colour cast and driver sharpening of a print
    paper          fibres, mottle, folds, bending and gloss of a sheet
    edges          end of the sheet, bezel, room behind and fingers; off, the medium fills the view
    subpixels      the display's subpixel grid, and so moire and the sparkle of a matte coat
    tone           gamma, black level, tint, uneven backlight and loss of contrast to the side of a display
    reflections    room and lamps in the glass of a display
    bands          pulsed backlight before a rolling shutter, and mains flicker of the room
    cut            holes in a cut-out; off, it is the whole print
    sensor         mosaic, noise, denoising and sharpening of the camera
    codec          compression of the content and of the delivered picture
    distractors    posters, bars, spectacles, fingers near bona fide faces (and, the same, in what an attack shows)
    =============  ==========================================================================================
    """

    halftone: bool = True
    ink: bool = True
    paper: bool = True
    edges: bool = True
    subpixels: bool = True
    tone: bool = True
    reflections: bool = True
    bands: bool = True
    cut: bool = True
    sensor: bool = True
    codec: bool = True
    distractors: bool = True

    def without(self, *names: str) -> Ingredients:
        unknown = sorted(set(names) - set(NAMES))
        if unknown:
            raise ValueError(f"unknown ingredients: {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return dataclasses.replace(self, **{name: False for name in names})

    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in NAMES if not getattr(self, name))


NAMES = tuple(f.name for f in dataclasses.fields(Ingredients))
ALL = Ingredients()
