/* Lets fsync fail, as a dying disk does: the calls from the FSYNC_FROM-th on, FSYNC_TIMES of them.
 *
 * cc -shared -fPIC -O2 -o fsync.so fsync.c, and then LD_PRELOAD=./fsync.so FSYNC_FROM=3 FSYNC_TIMES=1 command
 * What is synced when a call fails stays written and not synced: the kernel would have dropped it at a power cut only.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

static long figure(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static int sync_or_fail(int fd, long number) {
    long call = atomic_fetch_add(&calls, 1) + 1, from = figure("FSYNC_FROM", 1), times = figure("FSYNC_TIMES", 1);
    if (call >= from && call < from + times) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fsync(int fd) { return sync_or_fail(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_or_fail(fd, SYS_fdatasync); }
