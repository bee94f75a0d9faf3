"""Export the parts for printing, and the pictures."""

from hardware.enclosure import HERE, PARTS, PICTURES, VIEWS, export, picture

for part in PARTS:
    export(part, HERE / f"{part}.stl")
for name in VIEWS:
    picture(name, PICTURES / name)
