#include <kortelijn/host/sandbox.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock: paths ---- */

/* ABI 3; Debian 12's header ends before it. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |		\
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |	\
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |		\
    LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define FS_NEVER (LANDLOCK_ACCESS_FS_EXECUTE |				\
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO |	\
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* What this kernel can control; a right it does not know is an error. */
static uint64_t
landlock_known(int abi)
{
	uint64_t access = FS_WRITE | FS_NEVER;

	if (abi >= 2)
		access |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		access |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return access;
}

static int
landlock_allow(int ruleset, const char *const *dirs, uint64_t access)
{
	for (; dirs != NULL && *dirs != NULL; dirs++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = access
		};
		long r;

		rule.parent_fd = open(*dirs, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (rule.parent_fd < 0)
			return KL_E_SYSTEM;
		r = syscall(SYS_landlock_add_rule, ruleset,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		(void)close(rule.parent_fd);
		if (r != 0)
			return KL_E_SYSTEM;
	}
	return KL_OK;
}

static int
landlock_enter(struct kl_sandbox *s)
{
	const uint64_t known = landlock_known(s->landlock_abi);
	/* The first field is all that the oldest kernel takes. */
	const uint64_t handled = known;
	int fd, r;

	fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
	    sizeof handled, 0);
	if (fd < 0)
		return KL_E_SYSTEM;
	if ((r = landlock_allow(fd, s->write_dirs, known & ~FS_NEVER)) ==
	    KL_OK &&
	    (r = landlock_allow(fd, s->read_dirs, FS_READ)) == KL_OK &&
	    syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		r = KL_E_SYSTEM;
	(void)close(fd);
	return r;
}

/* ---- seccomp: system calls ---- */

/* Neither process: other processes, new programs, the kernel's own insides,
 * ways around this filter, other names for what is on the lists below. */
static const int deny_both[] = {
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
	SCMP_SYS(process_mrelease), SCMP_SYS(kcmp), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(truncate),
	SCMP_SYS(truncate64), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(mount_setattr), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(reboot), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(personality),
	SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd), SCMP_SYS(acct),
	SCMP_SYS(syslog), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
	SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(vhangup),
	SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret),
	SCMP_SYS(fanotify_init), SCMP_SYS(mknod), SCMP_SYS(mknodat),
};

static const int deny_edge[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link),
	SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown),
	SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(utime),
	SCMP_SYS(utimes), SCMP_SYS(utimensat), SCMP_SYS(setxattr),
	SCMP_SYS(lsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
	SCMP_SYS(getxattr), SCMP_SYS(lgetxattr), SCMP_SYS(chdir),
	SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1),
	/* The core asks by it whether its clock is right; to set one takes a
	 * privilege that none of ours has. */
	SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
};

static const int deny_core[] = {
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
	SCMP_SYS(bind), SCMP_SYS(listen),
};

static int
deny(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* A name that this architecture has not needs no rule. */
		if (calls[i] < 0)
			continue;
		if (seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 0) !=
		    0)
			return KL_E_SYSTEM;
	}
	return KL_OK;
}

/* Calls that are allowed for some arguments. */
static int
deny_some(scmp_filter_ctx f)
{
	const uint32_t eperm = SCMP_ACT_ERRNO(EPERM);
	const int exec[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect),
		SCMP_SYS(pkey_mprotect) };

	/* Threads, no processes. The flags of clone3 cannot be seen here; libc
	 * falls back to clone. */
	if (seccomp_rule_add(f, eperm, SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) != 0 ||
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
		0) != 0)
		return KL_E_SYSTEM;
	/* A failed assertion signals its own process. */
	if (seccomp_rule_add(f, eperm, SCMP_SYS(tgkill), 1,
		SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0)) != 0 ||
	    seccomp_rule_add(f, eperm, SCMP_SYS(prlimit64), 1,
		SCMP_A0(SCMP_CMP_NE, 0, 0)) != 0)
		return KL_E_SYSTEM;
	for (size_t i = 0; i < sizeof exec / sizeof exec[0]; i++)
		if (seccomp_rule_add(f, eperm, exec[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) !=
		    0)
			return KL_E_SYSTEM;
	/* Against the prctl that makes a process readable again. */
	if (seccomp_rule_add(f, eperm, SCMP_SYS(prctl), 1,
		SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE, 0)) != 0)
		return KL_E_SYSTEM;
	return KL_OK;
}

#define DENY(f, list) deny(f, list, sizeof (list) / sizeof (list)[0])

static int
seccomp_enter(enum kl_sandbox_role role)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int r = KL_E_SYSTEM;

	if (f == NULL)
		return KL_E_SYSTEM;
	/* All threads: libzmq has started its own. */
	if (seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
	    seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_ERRNO(EPERM)) != 0 ||
	    (r = DENY(f, deny_both)) != KL_OK || (r = deny_some(f)) != KL_OK)
		goto out;
	r = role == KL_SANDBOX_EDGE ? DENY(f, deny_edge) : DENY(f, deny_core);
	if (r == KL_OK && seccomp_load(f) != 0)
		r = KL_E_SYSTEM;
out:
	seccomp_release(f);
	return r;
}

int
kl_sandbox_enter(struct kl_sandbox *s)
{
	int r;

	s->landlock_abi = landlock_abi();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return KL_E_SYSTEM;
	if (s->landlock_abi > 0 && (r = landlock_enter(s)) != KL_OK)
		return r;
	return seccomp_enter(s->role);
}

/* ---- sanitizer builds ---- */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANDBOX_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANDBOX_ASAN 1
#endif

#ifdef SANDBOX_ASAN
/* The leak check at exit stops the process with ptrace, which is denied here;
 * without this every exit would look like a failure. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}
#endif
