/* A disk and clocks that misbehave, for one process: LD_PRELOAD puts this between it and the C library.
 *
 * CAMPAIGN_ROOT   only files below this folder are concerned
 * CAMPAIGN_FAULT  a file with one word: none, ENOSPC, EROFS, EIO (what changes a file fails so), or slow (fsync takes 10 s)
 * CAMPAIGN_LOG    a file that gets every change of a file in order, and every line on standard output, with its time
 * CAMPAIGN_CLOCK  a file with two numbers: ns that the wall clock and the clock since boot are ahead
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define SLOW_S 10

struct __attribute__((packed)) change {
    uint64_t boottime_ns, offset;
    uint32_t bytes;
    uint16_t name_bytes;
    char kind; /* w write, t truncate, s sync, c create, u unlink, r rename (data: the new name), d directory synced, o output */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t raw_read(const char *path, char *text, size_t room)
{
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t n = syscall(SYS_read, file, text, room - 1);
    syscall(SYS_close, file);
    text[n > 0 ? n : 0] = 0;
    return n;
}

static int concerned(const char *path)
{
    const char *root = getenv("CAMPAIGN_ROOT");
    return root && !strncmp(path, root, strlen(root));
}

static int name_of(int file, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = 0;
    return n > 0 && concerned(path);
}

/* The errno that a change is to fail with now, or 0. */
static int fault(int is_sync)
{
    const char *file = getenv("CAMPAIGN_FAULT");
    char word[32];
    if (!file || raw_read(file, word, sizeof word) <= 0)
        return 0;
    if (!strncmp(word, "ENOSPC", 6))
        return is_sync ? 0 : ENOSPC;
    if (!strncmp(word, "EROFS", 5))
        return EROFS;
    if (!strncmp(word, "EIO", 3))
        return EIO;
    if (!strncmp(word, "slow", 4) && is_sync) {
        struct timespec span = {SLOW_S, 0};
        nanosleep(&span, NULL);
    }
    return 0;
}

static void note(char kind, const char *path, uint64_t offset, const void *data, size_t bytes)
{
    const char *log = getenv("CAMPAIGN_LOG");
    if (!log)
        return;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
    struct change head = {(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, offset, (uint32_t)bytes,
                          (uint16_t)strlen(path), kind};
    pthread_mutex_lock(&lock);
    int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) {
        syscall(SYS_write, file, &head, sizeof head);
        syscall(SYS_write, file, path, head.name_bytes);
        if (bytes)
            syscall(SYS_write, file, data, bytes);
        syscall(SYS_close, file);
    }
    pthread_mutex_unlock(&lock);
}

static int refuse(int code)
{
    errno = code;
    return -1;
}

ssize_t write(int file, const void *data, size_t bytes)
{
    char path[PATH_MAX];
    if (file == 1)
        note('o', "", 0, data, bytes);
    if (!name_of(file, path))
        return REAL(ssize_t, write, int, const void *, size_t)(file, data, bytes);
    int code = fault(0);
    if (code)
        return refuse(code);
    struct stat before;
    fstat(file, &before);
    int append = fcntl(file, F_GETFL) & O_APPEND;
    off_t at = append ? before.st_size : lseek(file, 0, SEEK_CUR);
    ssize_t n = REAL(ssize_t, write, int, const void *, size_t)(file, data, bytes);
    if (n > 0)
        note('w', path, (uint64_t)at, data, (size_t)n);
    return n;
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t at)
{
    char path[PATH_MAX];
    if (!name_of(file, path))
        return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(file, data, bytes, at);
    int code = fault(0);
    if (code)
        return refuse(code);
    ssize_t n = REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(file, data, bytes, at);
    if (n > 0)
        note('w', path, (uint64_t)at, data, (size_t)n);
    return n;
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t at)
{
    return pwrite64(file, data, bytes, at);
}

int ftruncate64(int file, off64_t bytes)
{
    char path[PATH_MAX];
    if (!name_of(file, path))
        return REAL(int, ftruncate64, int, off64_t)(file, bytes);
    int code = fault(0);
    if (code)
        return refuse(code);
    int done = REAL(int, ftruncate64, int, off64_t)(file, bytes);
    if (!done)
        note('t', path, (uint64_t)bytes, NULL, 0);
    return done;
}

int ftruncate(int file, off_t bytes)
{
    return ftruncate64(file, bytes);
}

static int synced(int file, int data_only)
{
    char path[PATH_MAX];
    struct stat what;
    if (!name_of(file, path))
        return (int)syscall(data_only ? SYS_fdatasync : SYS_fsync, file);
    int code = fault(1);
    if (code)
        return refuse(code);
    int done = (int)syscall(data_only ? SYS_fdatasync : SYS_fsync, file);
    if (!done && !fstat(file, &what))
        note(S_ISDIR(what.st_mode) ? 'd' : 's', path, 0, NULL, 0);
    return done;
}

int fsync(int file)
{
    return synced(file, 0);
}

int fdatasync(int file)
{
    return synced(file, 1);
}

static int opened(int folder, const char *name, int flags, mode_t mode)
{
    struct stat before;
    int makes = flags & O_CREAT && name[0] == '/' && concerned(name) && fstatat(folder, name, &before, 0);
    if (makes || (flags & O_TRUNC && concerned(name))) {
        int code = fault(0);
        if (code)
            return refuse(code);
    }
    int file = (int)syscall(SYS_openat, folder, name, flags, mode);
    if (file >= 0 && makes)
        note('c', name, 0, NULL, 0);
    if (file >= 0 && !makes && flags & O_TRUNC && concerned(name))
        note('t', name, 0, NULL, 0);
    return file;
}

#define MODE                                      \
    mode_t mode = 0;                              \
    if (flags & (O_CREAT | __O_TMPFILE)) {        \
        va_list rest;                             \
        va_start(rest, flags);                    \
        mode = (mode_t)va_arg(rest, unsigned);    \
        va_end(rest);                             \
    }

int open(const char *name, int flags, ...)
{
    MODE return opened(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    MODE return opened(AT_FDCWD, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
    MODE return opened(folder, name, flags, mode);
}

int unlink(const char *name)
{
    int code = concerned(name) ? fault(0) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    if (!done && concerned(name))
        note('u', name, 0, NULL, 0);
    return done;
}

int rename(const char *name, const char *to)
{
    int code = concerned(to) ? fault(0) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, to, 0);
    if (!done && concerned(to))
        note('r', name, 0, to, strlen(to));
    return done;
}

int mkdir(const char *name, mode_t mode)
{
    int code = concerned(name) ? fault(0) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    if (!done && concerned(name))
        note('m', name, 0, NULL, 0);
    return done;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    const char *file = getenv("CAMPAIGN_CLOCK");
    char text[64];
    if (done || !file || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME) || raw_read(file, text, sizeof text) <= 0)
        return done;
    long long wall = 0, boot = 0;
    sscanf(text, "%lld %lld", &wall, &boot);
    long long ns = now->tv_nsec + (clock == CLOCK_REALTIME ? wall : boot);
    now->tv_sec += ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
    if (now->tv_nsec < 0) {
        now->tv_nsec += 1000000000;
        now->tv_sec--;
    }
    return 0;
}
