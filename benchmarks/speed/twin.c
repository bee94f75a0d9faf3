/* The limit for the detector's kernel: what it does with every sample and every hop while nothing happens, in plain C.
 *
 * Rails and flat lines, band-pass, side bands, mains canceller, window energies, the floor's sliding quantile and the
 * thresholds. Left out, since they cost next to nothing on quiet signal: events, frequency of the mains, heart, tails.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TICK = 4, TICKS = 8, HOP = TICK * TICKS, LANES = 8, LEVELS = 7, SCALES = 5, FIRST = 1, BINS = 1024, ENTRIES = 375 };

struct design {
    double section[4][5]; /* band-pass (two), 4-25 Hz, above 280 Hz: b0 b1 b2 a1 a2 */
    double table[2][LANES][HOP + 1]; /* cosine and sine of each lane over a hop */
    double ratio[SCALES]; /* of a window's mean square to the floor that opens an event */
    double scale, step, rail_low, rail_high, floor_gain;
};

struct state {
    double z[4][2], c[LANES], s[LANES], history[LEVELS][(1 << (LEVELS - 1)) + TICKS];
    double floor, clip, low_ms, high_ms, on[SCALES];
    int64_t histogram[BINS], entries[ENTRIES], n_entries, next, bin, below;
    int warm;
};

size_t state_size(void) { return sizeof(struct state); }
size_t design_size(void) { return sizeof(struct design); }
double floor_of(const struct state *t) { return t->floor; }

static void begin(struct state *t, const struct design *d, double v) {
    t->z[0][0] = -d->section[0][0] * v, t->z[0][1] = d->section[0][2] * v;
    t->z[2][0] = -d->section[2][0] * v, t->z[2][1] = d->section[2][2] * v;
    t->z[3][0] = -d->section[3][0] * v, t->z[3][1] = d->section[3][2] * v;
    t->clip = INFINITY;
    t->warm = 1;
}

static void take_entry(struct state *t, const struct design *d, double energy) {
    const int64_t bin_0 = (INT64_C(1023) << 3) - BINS / 2;
    int64_t bits;
    memcpy(&bits, &energy, 8);
    int64_t entry = (bits >> 49) - bin_0;
    entry = entry < 0 ? 0 : entry >= BINS ? BINS - 1 : entry;
    if (t->n_entries == ENTRIES) {
        int64_t old = t->entries[t->next];
        t->histogram[old]--;
        t->below -= old < t->bin;
    } else
        t->n_entries++;
    t->entries[t->next] = entry;
    t->next = t->next + 1 < ENTRIES ? t->next + 1 : 0;
    t->histogram[entry]++;
    t->below += entry < t->bin;
    double rank = 0.35 * t->n_entries;
    while (t->below > rank) t->below -= t->histogram[--t->bin];
    while (t->below + t->histogram[t->bin] <= rank) t->below += t->histogram[t->bin++];
    double within = (rank - t->below) / t->histogram[t->bin], low, high;
    int64_t low_bits = (t->bin + bin_0) << 49, high_bits = (t->bin + bin_0 + 1) << 49;
    memcpy(&low, &low_bits, 8);
    memcpy(&high, &high_bits, 8);
    t->floor = d->floor_gain * (low + within * (high - low));
    t->clip = 3 * sqrt(t->floor);
}

/* What a hop does after the filters; returns whether a window would have opened an event. */
static int finish_hop(struct state *t, const struct design *d, double *restrict work, double e_low, double e_high) {
    t->low_ms = e_low / HOP, t->high_ms = e_high / HOP;
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < HOP; i++)
            work[i] -= t->c[lane] * d->table[0][lane][i] + t->s[lane] * d->table[1][lane][i];
    for (int j = 0; j < TICKS; j++) {
        double e = 0;
        for (int i = 0; i < TICK; i++) e += work[j * TICK + i] * work[j * TICK + i];
        t->history[0][1 + j] = e;
    }
    for (int level = 0; level + 1 < LEVELS; level++)
        for (int j = 0; j < TICKS; j++)
            t->history[level + 1][(2 << level) + j] = t->history[level][j] + t->history[level][(1 << level) + j];
    int over = 0;
    for (int scale = 0; scale < SCALES; scale++)
        for (int j = 0; j < TICKS; j++)
            over += t->history[FIRST + scale][(1 << (FIRST + scale)) + j] > t->on[scale];
    double mean64 = t->history[FIRST + 3][(1 << (FIRST + 3)) + TICKS - 1] / (TICK << (FIRST + 3));
    for (int level = 0; level < LEVELS; level++)
        memmove(t->history[level], t->history[level] + TICKS, sizeof(double) << level);
    double clipped[HOP];
    for (int i = 0; i < HOP; i++) clipped[i] = fmin(fmax(work[i], -t->clip), t->clip);
    for (int lane = 0; lane < LANES; lane++) {
        double a = 0, b = 0, c, s, turn_c = d->table[0][lane][HOP], turn_s = d->table[1][lane][HOP];
        for (int i = 0; i < HOP; i++) a += clipped[i] * d->table[0][lane][i], b += clipped[i] * d->table[1][lane][i];
        c = t->c[lane] + d->step * a, s = t->s[lane] + d->step * b;
        t->c[lane] = c * turn_c + s * turn_s, t->s[lane] = s * turn_c - c * turn_s;
    }
    if (mean64 > 0) take_entry(t, d, mean64);
    for (int scale = 0; scale < SCALES; scale++)
        t->on[scale] = d->ratio[scale] * t->floor * (TICK << (FIRST + scale));
    return over > 0;
}

static int is_bad(const struct design *d, const double *x) {
    int outside = 0, same = 0;
    for (int i = 0; i < HOP; i++) outside += (x[i] <= d->rail_low) | (x[i] >= d->rail_high);
    for (int i = 1; i < HOP; i++) same += x[i] == x[i - 1];
    return outside == HOP || same == HOP - 1;
}

/* Returns in how many hops a window would have opened an event; whole hops only. */
long run(struct state *t, const struct design *d, const double *x, long n) {
    long loud = 0;
    if (!t->warm && n > 0) begin(t, d, x[0] * d->scale);
    for (long at = 0; at + HOP <= n; at += HOP, x += HOP) {
        double work[HOP], e_low = 0, e_high = 0;
        if (is_bad(d, x)) continue;
        double z00 = t->z[0][0], z01 = t->z[0][1], z10 = t->z[1][0], z11 = t->z[1][1];
        double z20 = t->z[2][0], z21 = t->z[2][1], z30 = t->z[3][0], z31 = t->z[3][1];
        const double *f = d->section[0], *g = d->section[1], *h = d->section[2], *k = d->section[3];
        for (int i = 0; i < HOP; i++) {
            double v = x[i] * d->scale, y = f[0] * v + z00, w, low, high;
            z00 = f[1] * v - f[3] * y + z01, z01 = f[2] * v - f[4] * y;
            w = g[0] * y + z10;
            z10 = g[1] * y - g[3] * w + z11, z11 = g[2] * y - g[4] * w;
            low = h[0] * v + z20;
            z20 = h[1] * v - h[3] * low + z21, z21 = h[2] * v - h[4] * low;
            high = k[0] * v + z30;
            z30 = k[1] * v - k[3] * high + z31, z31 = k[2] * v - k[4] * high;
            e_low += low * low, e_high += high * high;
            work[i] = w;
        }
        t->z[0][0] = z00, t->z[0][1] = z01, t->z[1][0] = z10, t->z[1][1] = z11;
        t->z[2][0] = z20, t->z[2][1] = z21, t->z[3][0] = z30, t->z[3][1] = z31;
        loud += finish_hop(t, d, work, e_low, e_high);
    }
    return loud;
}

/* The same for eight recordings at once, one in each lane of a vector as far as the filters go: they wait for their own
 * last output, which the rest does not. `x` holds the recordings' samples in turn, `n` of each; all are good.
 */
long run_lanes(struct state *t, const struct design *d, const double *x, long n) {
    enum { SIDE = 8 };
    typedef double eight __attribute__((vector_size(8 * SIDE)));
    eight z[4][2], work[HOP];
    long loud = 0;
    for (int r = 0; r < SIDE; r++) {
        if (!t[r].warm && n > 0) begin(&t[r], d, x[r] * d->scale);
        for (int k = 0; k < 4; k++) z[k][0][r] = t[r].z[k][0], z[k][1][r] = t[r].z[k][1];
    }
    for (long at = 0; at + HOP <= n; at += HOP) {
        eight e_low = {0}, e_high = {0};
        for (int i = 0; i < HOP; i++, x += SIDE) {
            eight v, out[4];
            memcpy(&v, x, sizeof v);
            v *= d->scale;
            for (int k = 0; k < 4; k++) {
                const double *f = d->section[k];
                eight in = k == 1 ? out[0] : v;
                out[k] = f[0] * in + z[k][0];
                z[k][0] = f[1] * in - f[3] * out[k] + z[k][1];
                z[k][1] = f[2] * in - f[4] * out[k];
            }
            e_low += out[2] * out[2], e_high += out[3] * out[3];
            work[i] = out[1];
        }
        for (int r = 0; r < SIDE; r++) {
            double own[HOP];
            for (int i = 0; i < HOP; i++) own[i] = work[i][r];
            loud += finish_hop(&t[r], d, own, e_low[r], e_high[r]);
        }
    }
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < 4; k++) t[r].z[k][0] = z[k][0][r], t[r].z[k][1] = z[k][1][r];
    return loud;
}
