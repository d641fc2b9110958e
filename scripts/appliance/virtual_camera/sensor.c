/* Gives libcamera's virtual camera what a sensor has and it lacks: a pace, and a cable that can come loose.
 *
 * Preloaded. libcamera maps a frame's buffer when it draws the frame; that is where a sensor would make it wait:
 *   VIRTUAL_CAMERA_FPS   frames per second
 *   VIRTUAL_CAMERA_HANG  while a file of this path exists, no frame is drawn and the thread that draws does not come back
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The main stream's buffers are larger than this, the small stream's are not: one wait for each frame. */
#define LARGE (1 << 20)

static int is_a_frame(int fd)
{
	char link[64], name[128];

	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, name, sizeof(name) - 1);
	if (length < 0)
		return 0;
	name[length] = 0;
	return strstr(name, "memfd:virtual-camera") != NULL;
}

static void wait_as_a_sensor_would(size_t length, int fd)
{
	static struct timespec due;
	static ino_t last;
	struct stat buffer;
	const char *fps = getenv("VIRTUAL_CAMERA_FPS"), *hang = getenv("VIRTUAL_CAMERA_HANG");
	const struct timespec moment = { 0, 10000000 };
	struct timespec now;

	while (hang && access(hang, F_OK) == 0)
		nanosleep(&moment, NULL);
	/* A buffer is mapped more than once for its frame, and the next frame is in another buffer. */
	if (!fps || length < LARGE || fstat(fd, &buffer) != 0 || buffer.st_ino == last)
		return;
	last = buffer.st_ino;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	long long next = now.tv_sec * 1000000000LL + now.tv_nsec + (long long)(1e9 / atof(fps));
	due.tv_sec = next / 1000000000LL;
	due.tv_nsec = next % 1000000000LL;
}

static void *map(const char *symbol, void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	void *(*real)(void *, size_t, int, int, int, off64_t) = dlsym(RTLD_NEXT, symbol);

	if (is_a_frame(fd))
		wait_as_a_sensor_would(length, fd);
	return real(address, length, protection, flags, fd, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map("mmap", address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	return map("mmap64", address, length, protection, flags, fd, offset);
}
