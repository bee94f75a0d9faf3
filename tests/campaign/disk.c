/* A disk and clocks that misbehave, for one process: LD_PRELOAD puts this between it and the C library.
 *
 * CAMPAIGN_ROOT   only files below this folder are concerned
 * CAMPAIGN_FAULT  a file with one word: none, ENOSPC, EROFS, EIO (what changes a file fails so), or slow (fsync takes 10 s)
 * CAMPAIGN_LOG    a file that gets every change of a file in order, and every line on standard output, with its time
 * CAMPAIGN_KILL   a number: kill -9 just after so many of these records
 * CAMPAIGN_CLOCK  a file with two numbers: ns that the wall clock and the clock since boot are ahead
 * CAMPAIGN_SPEED  how much faster all clocks run since the library was loaded; waits are as much shorter
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
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
    /* w write, t truncate, b sync begins, s it has ended, d so has a folder's, c create, m folder made, u name removed,
       r rename (data: the new name), o output */
    char kind;
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

enum act { GROWS, FREES, SYNCS }; /* only what needs room fails for want of it */

/* The errno that a change is to fail with now, or 0. */
static int fault(enum act act)
{
    const char *file = getenv("CAMPAIGN_FAULT");
    char word[32];
    if (!file || raw_read(file, word, sizeof word) <= 0)
        return 0;
    if (!strncmp(word, "ENOSPC", 6))
        return act == GROWS ? ENOSPC : 0;
    if (!strncmp(word, "EROFS", 5))
        return EROFS;
    if (!strncmp(word, "EIO", 3))
        return EIO;
    if (!strncmp(word, "slow", 4) && act == SYNCS) {
        struct timespec span = {SLOW_S, 0};
        nanosleep(&span, NULL);
    }
    return 0;
}

static void note(char kind, const char *path, uint64_t offset, const void *data, size_t bytes)
{
    static _Atomic int notes;
    const char *log = getenv("CAMPAIGN_LOG"), *last = getenv("CAMPAIGN_KILL");
    if (last && ++notes == atoi(last))
        raise(SIGKILL);
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
    int code = fault(GROWS);
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
    int code = fault(GROWS);
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
    int code = fault(GROWS);
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
    int code = fault(SYNCS);
    if (code)
        return refuse(code);
    note('b', path, 0, NULL, 0);
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
        int code = fault(GROWS);
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
    int code = concerned(name) ? fault(FREES) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    if (!done && concerned(name))
        note('u', name, 0, NULL, 0);
    return done;
}

int rmdir(const char *name)
{
    int code = concerned(name) ? fault(FREES) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR);
    if (!done && concerned(name))
        note('u', name, 0, NULL, 0);
    return done;
}

int rename(const char *name, const char *to)
{
    int code = concerned(to) ? fault(GROWS) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, to, 0);
    if (!done && concerned(to))
        note('r', name, 0, to, strlen(to));
    return done;
}

int mkdir(const char *name, mode_t mode)
{
    int code = concerned(name) ? fault(GROWS) : 0;
    if (code)
        return refuse(code);
    int done = (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    if (!done && concerned(name))
        note('m', name, 0, NULL, 0);
    return done;
}

/* When the library was loaded, by the machine's clocks, in ns. */
static int64_t loaded_ns[CLOCK_BOOTTIME + 1];

static int64_t in_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void from_ns(int64_t ns, struct timespec *t)
{
    t->tv_sec = ns / 1000000000;
    t->tv_nsec = ns % 1000000000;
    if (t->tv_nsec < 0) {
        t->tv_nsec += 1000000000;
        t->tv_sec--;
    }
}

__attribute__((constructor)) static void loaded(void)
{
    for (clockid_t clock = 0; clock <= CLOCK_BOOTTIME; clock++) {
        struct timespec now;
        if (!syscall(SYS_clock_gettime, clock, &now))
            loaded_ns[clock] = in_ns(&now);
    }
}

static double speed(clockid_t clock)
{
    const char *text = getenv("CAMPAIGN_SPEED");
    int hastens = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
    return text && hastens ? atof(text) : 1.0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    if (done)
        return done;
    double fast = speed(clock);
    int64_t ns = in_ns(now);
    if (fast != 1.0)
        ns = loaded_ns[clock] + (int64_t)((double)(ns - loaded_ns[clock]) * fast);
    const char *file = getenv("CAMPAIGN_CLOCK");
    char text[64];
    if (file && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) && raw_read(file, text, sizeof text) > 0) {
        long long wall = 0, boot = 0;
        sscanf(text, "%lld %lld", &wall, &boot);
        ns += clock == CLOCK_REALTIME ? wall : boot;
    }
    from_ns(ns, now);
    return 0;
}

/* The machine's own time for a deadline by our clock. */
static const struct timespec *deadline(clockid_t clock, const struct timespec *ours, struct timespec *machines)
{
    double fast = speed(clock);
    if (!ours || fast == 1.0)
        return ours;
    from_ns(loaded_ns[clock] + (int64_t)((double)(in_ns(ours) - loaded_ns[clock]) / fast), machines);
    return machines;
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
    struct timespec machines;
    return REAL(int, sem_clockwait, sem_t *, clockid_t, const struct timespec *)(sem, clock, deadline(clock, until, &machines));
}

/* Python's conditions wait by the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    struct timespec machines;
    return REAL(int, pthread_cond_timedwait, pthread_cond_t *, pthread_mutex_t *, const struct timespec *)(
        condition, mutex, deadline(CLOCK_MONOTONIC, until, &machines));
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *span, struct timespec *left)
{
    struct timespec machines;
    const struct timespec *until = deadline(clock, span, &machines);
    if (!(flags & TIMER_ABSTIME) && span && speed(clock) != 1.0) {
        from_ns((int64_t)((double)in_ns(span) / speed(clock)), &machines);
        until = &machines;
    }
    return (int)-syscall(SYS_clock_nanosleep, clock, flags, until, left) ? errno : 0;
}
