// emgtwitch's enclosure: a tray on the skin, a lid that snaps into it, and wings for a 25 mm strap.
//
//     openscad -D 'part="tray"' -o tray.stl enclosure.scad      also "lid", "closed", "open"
//
// Millimetres. Board coordinates as in KiCad: origin at the board's upper left corner, x to the right, y down.
// Here z = 0 is the skin, and y is turned: y of the model = board_size.y - y of the board.
// The parts are exported as they are printed: the tray on its skin side, the lid upside down; neither needs support.

part = "closed";

// ---- The board; tests/hardware/test_enclosure.py reads these lines ----------------------------------------------
board_size = [80, 48, 1.6];
board_hole_inset = 3.5;      // all four corners, from both edges
board_hole_d = 2.7;
parts_height = 10;           // above the board's upper side
leads_height = 2.2;          // below its lower side
jack_y = 24;                 // left edge; its nose reaches 2.1 mm beyond it
jack_axis = 2.5;             // above the board's upper side
jack_ring_d = 8;             // handle of the plug, as far as it enters the wall
usb_y = 15.8;                // right edge: the Nano's socket
usb_socket = [3.5, 9];       // from, to above the board's upper side
usb_hull = [12, 8];          // the plug's hull: width, height
switch_x = 63;               // lower edge, on the board's upper side
switch_size = [9, 5];        // width, height
button_at = [37.2, 44.8];       // the mark
button_height = 4.3;         // its top above the board's upper side
led_at = [47, 15.8];
led_d = 2;

// ---- Under the board --------------------------------------------------------------------------------------------
cell_size = [50, 34, 6];     // 503450 with room to swell
cell_at = [0.5, 7];          // its upper left corner
charger_size = [26, 18, 7];
charger_at = [54.2, 23];
charger_hull = [12, 7];      // of its USB-C plug

// ---- The case ---------------------------------------------------------------------------------------------------
wall = 2.2;
floor_thick = 1.8;
roof_thick = 1.8;
board_gap = 0.5;             // around the board
inner_radius = 1.0;          // of the corners; lets square corners of a board pass
chamfer = 2;                 // skin side and roof
board_z = 11.2;              // the board's lower side
roof_gap = 0.8;              // above the highest part
lip = 4.8;                   // how deep the lid enters the tray
lip_thick = 1.05;
fit = 0.15;                  // between lip and tray
press_gap = 0.2;             // between the lid's corner ribs and the board
snap_x = [13, 50.5];         // on both long sides, beside the switch and the button's tongue
snap_width = 8;
snap_depth = 0.6;
slit = 0.8;
strap_width = 25;
strap_slot = 3;
strap_bar = 4;
wing_thick = 4;
wing_chamfer = 1.2;
rib = 1.2;
rib_height = 3;
pocket_gap = 0.4;            // around cell and charger
saddle_length = 7;           // on which a cable tie holds the plug
tie_width = 4;

$fn = 48;
eps = 0.01;

board_top = board_z + board_size.z;
split = board_top + jack_axis;   // through the jack's axis: every opening but the charger's is open to it
roof_z = board_top + parts_height + roof_gap;
height = roof_z + roof_thick;
lip_z = split - lip;
outer_radius = inner_radius + wall;
wing_slot = [strap_width + 1, strap_slot];
wing_reach = 1 + strap_slot + strap_bar;
middle_x = board_size.x / 2;

assert(board_z >= floor_thick + max(cell_size.z, charger_size.z) + leads_height, "board_z: leads touch what is below");
assert(outer_radius >= 3, "inner_radius: the outer corners are to be rounded by at least 3 mm");
assert((inner_radius - board_gap) * sqrt(2) <= inner_radius, "inner_radius: corners of the board touch the wall");
assert(charger_hull.x - 4 <= 10, "charger_hull: its bridge is longer than 10 mm");

module on_board(at) translate([at.x, board_size.y - at.y]) children();

// The outline of the board's room, grown by `more`.
module outline(more) {
    offset(inner_radius + more) translate([inner_radius - board_gap, inner_radius - board_gap])
        square([board_size.x + 2 * (board_gap - inner_radius), board_size.y + 2 * (board_gap - inner_radius)]);
}

module slab(z, thick) translate([0, 0, z]) linear_extrude(thick) children();

// The origin on the inner face of a long side, y outwards.
module long_side(x, side)
    translate([x, side * board_size.y]) mirror([0, 1 - side]) translate([0, board_gap]) children();

// The origin in each corner of the board, x and y inwards.
module at_corners() for (x = [0, 1], y = [0, 1])
    translate([x * board_size.x, y * board_size.y]) mirror([x, 0]) mirror([0, y]) children();

// ---- Openings, in place -----------------------------------------------------------------------------------------
// `down` lengthens them through the lid's lip, so that nothing bridges them when the lid is printed.
module openings(down = 0) {
    x_left = -board_gap - wall - eps;
    hull() for (z = [split, split - down])
        translate([x_left, board_size.y - jack_y, z]) rotate([0, 90])
            cylinder(d = jack_ring_d + 0.4, h = wall + 2 * eps);

    usb_z = board_top + (usb_socket[0] + usb_socket[1]) / 2 - usb_hull[1] / 2;
    translate([board_size.x + board_gap - eps, board_size.y - usb_y - usb_hull.x / 2, usb_z - down])
        cube([wall + 2 * eps, usb_hull.x, usb_hull.y + down]);

    // Flared, so that a fingertip finds the slider.
    translate([switch_x, -board_gap, board_top - down]) hull() {
        translate([-switch_size.x / 2 - 0.3, -eps, 0]) cube([switch_size.x + 0.6, 2 * eps, switch_size.y + 0.3 + down]);
        translate([-switch_size.x / 2 - 0.3 - wall, -wall - eps, down ? 0 : -wall])
            cube([switch_size.x + 0.6 + 2 * wall, eps, switch_size.y + 0.3 + down + wall * (down ? 1 : 2)]);
    }
}

// The charger's own socket: a roof of 45 degrees leaves a bridge of charger_hull.x - 4.
module charger_opening() {
    z = floor_thick + 0.4;
    w = charger_hull.x / 2;
    h = charger_hull.y;
    translate([board_size.x + board_gap - eps, board_size.y - charger_at.y - charger_size.y / 2, z])
        rotate([90, 0, 90]) linear_extrude(wall + 2 * eps)
            polygon([[-w, 0], [w, 0], [w, h - 2], [w - 2, h], [2 - w, h], [-w, h - 2]]);
}

// ---- Tray -------------------------------------------------------------------------------------------------------
module tray() {
    difference() {
        union() {
            difference() {
                union() {
                    body();
                    wings();
                    saddle();
                }
                slab(floor_thick, height) outline(0);
            }
            pockets();
            intersection() {
                slab(floor_thick, board_z - floor_thick) outline(wall / 2);
                at_corners() rest();
            }
            at_corners() peg();
        }
        difference() {
            slab(lip_z - 0.2, height) outline(lip_thick + fit);
            slab(0, height) outline(0);
        }
        openings();
        charger_opening();
        for (x = snap_x, side = [0, 1]) long_side(x, side)
            translate([-snap_width / 2 - 0.3, lip_thick, lip_z + 0.2]) cube([snap_width + 0.6, wall, 1.8]);
    }
}

module body() hull() {
    slab(0, split) outline(wall - chamfer);
    slab(chamfer, split - chamfer) outline(wall);
}

// In both wings a slot for the strap; edges cut at 45 degrees towards skin and strap.
module wings() difference() {
    hull() {
        slab(0, wing_thick) wing_outline(-wing_chamfer);
        slab(wing_chamfer, wing_thick - 2 * wing_chamfer) wing_outline(0);
    }
    for (side = [0, 1]) wing_place(side) {
        slab(-eps, wing_thick + 2 * eps) slot_outline(0);
        hull() {
            slab(-eps, eps) slot_outline(0.8);
            slab(0.8, eps) slot_outline(0);
        }
        hull() {
            slab(wing_thick, eps) slot_outline(0.8);
            slab(wing_thick - 0.8, eps) slot_outline(0);
        }
    }
}

module wing_outline(more) {
    size = [wing_slot.x + 2 * strap_bar, board_size.y + 2 * (board_gap + wall + wing_reach)];
    translate([middle_x - size.x / 2, (board_size.y - size.y) / 2])
        offset(4 + more) translate([4, 4]) square(size - [8, 8]);
}

module slot_outline(more) offset(1.4 + more) translate([1.4 - wing_slot.x / 2, 2.4]) square(wing_slot - [2.8, 2.8]);

// The origin on the outer face of a long side, y outwards.
module wing_place(side) long_side(middle_x, side) translate([0, wall]) children();

// The plug's handle lies in it, and a cable tie in the notches holds both: no pull reaches the jack.
module saddle() {
    r = jack_ring_d / 2 + 0.2;
    half = r + 2;
    x_wall = -board_gap - wall;
    translate([x_wall, board_size.y - jack_y]) difference() {
        rotate([90, 0]) translate([0, 0, -half]) linear_extrude(2 * half)
            polygon([[eps, split - 1.5], [-saddle_length, split - 1.5], [-saddle_length, split - r - 2],
                     [eps, split - r - 2 - saddle_length - eps]]);
        translate([-saddle_length - 1, 0, split]) rotate([0, 90]) cylinder(r = r, h = saddle_length + 2);
        for (side = [-1, 1]) {
            translate([-saddle_length / 2 - tie_width / 2, side * half - 1, -eps]) cube([tie_width, 2, split]);
            translate([-saddle_length, side * half, -eps]) rotate(45) cube([2, 2, 2 * split], center = true);
        }
    }
}

// Hooks at the cell's corners and ribs around the charger; wires pass beside and between them.
module pockets() difference() {
    union() {
        difference() {
            pocket(cell_at, cell_size);
            on_board(cell_at + [6, cell_size.y + 5]) slab(0, height) square([cell_size.x - 12, cell_size.y + 10]);
            on_board(cell_at + [6, cell_size.y - 6]) slab(0, height) square([cell_size.x, cell_size.y - 12]);
        }
        pocket(charger_at, charger_size);
    }
    room(cell_at, cell_size, pocket_gap);
    room(charger_at, charger_size, pocket_gap);
}

module room(at, size, gap) on_board(at) slab(floor_thick, height)
    translate([-gap, -size.y - gap]) square([size.x + 2 * gap, size.y + 2 * gap]);

module pocket(at, size) intersection() {
    room(at, size, pocket_gap + rib);
    slab(0, floor_thick + rib_height) outline(eps);
}

// Under each hole of the board an arm at 45 degrees out of the corner, above the cell, and on it a peg.
module rest() {
    r = 2.4;
    into_wall = board_hole_inset + board_gap + r / sqrt(2);
    hull() for (way = [0, into_wall]) {
        at = board_hole_inset - way;
        translate([at, at, board_z - 1 - way * sqrt(2)]) cylinder(r = r, h = 1);
    }
}

module peg() translate([board_hole_inset, board_hole_inset, board_z - eps]) {
    cylinder(d = board_hole_d - 0.4, h = board_size.z - 0.6);
    translate([0, 0, board_size.z - 0.6]) cylinder(d1 = board_hole_d - 0.4, d2 = board_hole_d - 1.2, h = 0.4);
}

// ---- Lid --------------------------------------------------------------------------------------------------------
module lid() {
    difference() {
        union() {
            difference() {
                union() {
                    hull() {
                        slab(split, roof_z + roof_thick - split) outline(wall - chamfer);
                        slab(split, height - chamfer - split) outline(wall);
                    }
                    slab(lip_z, lip + eps) outline(lip_thick);
                }
                slab(0, roof_z) outline(0);
            }
            intersection() {
                slab(0, height - eps) outline(eps);
                at_corners() corner_rib();
            }
            for (x = snap_x, side = [0, 1]) long_side(x, side) catch();
        }
        openings(down = lip);
        for (x = snap_x, side = [0, 1], end = [-1, 1]) long_side(x, side)
            translate([end * (snap_width + slit) / 2 - slit / 2, -eps, 0]) cube([slit, wall + 1, roof_z - 1]);
        on_board(led_at) cylinder(d = led_d, h = 2 * height);
        tongue_cut();
    }
    on_board(button_at) slab(board_top + button_height + 0.4, height - 0.5 - board_top - button_height - 0.4)
        circle(d = 3.5);
}

// Holds the board down at its very corner, where no part is.
module corner_rib() slab(board_top + press_gap, height - board_top - press_gap)
    polygon([[-board_gap - 1, -board_gap - 1], [3, -board_gap - 1], [3, 0], [0, 3], [-board_gap - 1, 3]]);

// Both flanks at 45 degrees: one lets the lid in, the other is its overhang in printing.
module catch() translate([-snap_width / 2, lip_thick - eps, lip_z + 1.1]) rotate([90, 0, 90]) linear_extrude(snap_width)
    polygon([[0, -snap_depth - eps], [snap_depth + eps, 0], [0, snap_depth + eps]]);

// A tongue of the roof over the button, 1.2 mm thin and held at its left end.
module tongue_cut() {
    width = 5;
    length = 22;
    on_board(button_at) {
        slab(roof_z - eps, 2 * roof_thick) difference() {
            translate([4 - length, -width / 2 - slit]) square([length + slit, width + 2 * slit]);
            translate([4 - length - 1, -width / 2]) square([length + 1, width]);
        }
        slab(roof_z - eps, roof_thick - 1.2 + eps)
            translate([4 - length, -width / 2 - eps]) square([length, width + 2 * eps]);
    }
}

// ---- What is built in, simplified, for the pictures -------------------------------------------------------------
// A block with its upper left corner, in the board's coordinates, at `at`.
module block(at, size, z, tall) on_board(at) translate([0, -size.y, z]) cube([size.x, size.y, tall]);

module board() {
    top = board_top;
    color("seagreen") difference() {
        block([0, 0], board_size, board_z, board_size.z);
        at_corners() translate([board_hole_inset, board_hole_inset, 0]) cylinder(d = board_hole_d, h = height);
    }
    color("black") difference() {
        block([0, jack_y - 3.5], [12, 7], top, 5);
        translate([-eps, board_size.y - jack_y, top + jack_axis]) rotate([0, 90]) cylinder(d = 3.6, h = 10);
    }
    color("steelblue") block([board_size.x - 44.5, usb_y - 9], [43, 18], top + 2.6, 1.2);
    color("dimgray") block([board_size.x - 32, usb_y - 4], [8, 8], top + 3.8, 1.2);
    color("dimgray") for (y = [-7.6, 7.6]) block([board_size.x - 43, usb_y + y - 1.2], [38, 2.4], top, 2.6);
    color("silver") block([board_size.x - 8.5, usb_y - 4], [8.5, 8], top + usb_socket[0],
        usb_socket[1] - usb_socket[0]);
    color("dimgray") for (x = [20, 30, 47, 56]) block([x, 29], [6, 5], top, 1.8);
    color("silver") block([switch_x - 4.5, board_size.y - 4], [9, 4], top, switch_size.y);
    color("black") block([switch_x, board_size.y - 1], [3, 4], top + 1, 2);
    color("dimgray") block(button_at - [3, 3], [6, 6], top, 3.5);
    color("firebrick") on_board(button_at) slab(top, button_height) circle(d = 3.4);
}

module power() {
    socket = [7.3, 9];
    color("lightsteelblue") block(cell_at, cell_size, floor_thick, cell_size.z);
    color("darkslateblue") block(charger_at, charger_size, floor_thick, 1.6);
    color("silver") block(charger_at + [charger_size.x - socket.x, (charger_size.y - socket.y) / 2], socket,
        floor_thick + 1.6, 3.2);
    color("dimgray") block(charger_at + [8, 8], [6, 6], floor_thick + 1.6, 4.5);
}

// A loop around each wing's bar.
module strap() {
    slot = 1 + strap_slot / 2;
    bar = wing_reach;
    path = [[bar + 15, -13], [bar + 8, -5], [bar, -0.8], [slot + 0.8, -0.8], [slot, 0.4], [slot, wing_thick + 0.4],
            [slot + 0.8, wing_thick + 0.8], [bar - 0.8, wing_thick + 0.8], [bar + 1, wing_thick], [bar + 9, -3.4],
            [bar + 16, -12]];
    color("slategray") for (side = [0, 1]) wing_place(side) translate([-strap_width / 2, 0]) rotate([90, 0, 90])
        linear_extrude(strap_width) for (i = [1 : len(path) - 1])
            hull() for (at = [path[i - 1], path[i]]) translate(at) circle(0.75);
}

module tray_coloured() color("whitesmoke") render() tray();
module lid_coloured() color([0.45, 0.65, 0.78]) render() lid();

if (part == "tray") tray();
if (part == "lid") translate([0, board_size.y, height]) rotate([180, 0]) lid();
if (part == "closed") {
    tray_coloured();
    lid_coloured();
    board();
    power();
    strap();
}
if (part == "open") {
    tray_coloured();
    translate([0, 0, 22]) power();
    translate([0, 0, 38]) board();
    translate([0, 0, 66]) lid_coloured();
}
