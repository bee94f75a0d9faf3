/* Memory that is refused, in one process: a part of the library of disk.c.
 *
 * CAMPAIGN_MEMORY  a file of four numbers (int32): of a million allocations so many fail; of those with at least so
 *                  many bytes; of this thread alone (0: of all); how many have failed so far
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control {
    _Atomic int32_t share_ppm, least_bytes, thread, refused;
};

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t step, size_t bytes);

static void *_Atomic mapped;

/* The file, once a process has one: a child of the nursery is told only after it was born. */
static struct control *control(void)
{
    static _Atomic unsigned asked;
    struct control *known = mapped;
    if (known || asked++ % 64)
        return known;
    const char *name = getenv("CAMPAIGN_MEMORY");
    int file = name ? (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return NULL;
    long place = syscall(SYS_mmap, NULL, sizeof *known, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (place > 0)
        mapped = (void *)place;
    return mapped;
}

static int refused(size_t bytes)
{
    static _Thread_local __attribute__((tls_model("initial-exec"))) uint32_t draw;
    struct control *now = control();
    if (!now || !now->share_ppm || bytes < (size_t)now->least_bytes)
        return 0;
    int32_t thread = (int32_t)syscall(SYS_gettid);
    if (now->thread && now->thread != thread)
        return 0;
    draw = (draw ? draw : (uint32_t)thread) * 1664525u + 1013904223u;
    if ((draw >> 8) % 1000000 >= (uint32_t)now->share_ppm)
        return 0;
    now->refused++;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t bytes)
{
    return refused(bytes) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return refused(count * bytes) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    return bytes && refused(bytes) ? NULL : __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t step, size_t bytes)
{
    return refused(bytes) ? NULL : __libc_memalign(step, bytes);
}

int posix_memalign(void **place, size_t step, size_t bytes)
{
    void *found = refused(bytes) ? NULL : __libc_memalign(step, bytes);
    if (!found)
        return ENOMEM;
    *place = found;
    return 0;
}

/* Python's small objects lie in these. */
void *mmap(void *near, size_t bytes, int protection, int flags, int file, off_t at)
{
    if (flags & MAP_ANONYMOUS && refused(bytes))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, near, bytes, protection, flags, file, at);
}

void *mmap64(void *near, size_t bytes, int protection, int flags, int file, off64_t at)
{
    return mmap(near, bytes, protection, flags, file, at);
}
