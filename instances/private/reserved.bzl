"""Words that cannot be the C++ namespace of an instance."""

CXX_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue decltype default delete do double dynamic_cast else enum explicit export
extern false float for friend goto if inline int linux long mutable namespace new noexcept not
not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
restrict return short signed sizeof static static_assert static_cast struct switch template
this thread_local throw true try typedef typeid typename typeof union unix unsigned using
virtual void volatile wchar_t while xor xor_eq
""".strip().replace("\n", " ").split(" ")

# Functions and variables that the headers of glibc put into the global namespace, as far as
# somebody might choose the word for a prefix: `namespace index {}` does not compile after
# <strings.h>.
LIBC_NAMES = """
abort abs accept access acct adjtime advance alarm alloca asctime assert atexit atof atoi atol
basename bcmp bcopy bind brk bzero calloc catclose catgets catopen ceil chdir chmod chown chroot
clock clog clone close closedir closelog connect copysign cos creat crypt ctime daemon daylight
difftime dirname div dlclose dlopen dlsym dprintf drem dup dup2 encrypt environ erf err errno
error errx exit exp exp2 exp10 fabs fchdir fclose fcntl fdim fdiv fdopen feof ferror fflush ffs
fgetc fgets fileno finite flock floor fma fmax fmin fmod fmul fopen fork fprintf fputc fputs
fread free freopen frexp fscanf fseek fstat fsub fsync ftell ftime ftok ftruncate fts ftw
futimes fwrite gamma getc getchar getenv getline getopt getpid gets gettext getw glob gmtime
herror htonl htons hypot ilogb index initgroups insque ioctl isalnum isalpha isascii isatty
isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper j0 j1 jn kill killpg
labs ldexp ldiv lgamma link linkat listen localtime lockf log log2 log10 logb login logout
logwtmp longjmp lrint lround lseek lstat madvise malloc memalign memcmp memcpy memmove memset
mkdir mkfifo mknod mktime mlock mmap modf mount mprotect mremap msync munmap nan nanosleep
nftw nice ntohl ntohs open opendir openlog optarg opterr optind optopt pause pclose perror
personality pipe poll popen pow prctl pread printf profil psignal ptrace putc putchar putenv
puts putw pwrite qsort quotactl raise rand random rcmd read readdir readlink readv realloc
realpath reboot recv regcomp regexec remainder remove remque rename rewind rewinddir rexec
rindex rint rmdir round ruserok sbrk scalb scandir scanf seekdir select semctl semget semop
send sendfile sendmsg sendto setbuf setenv setjmp setns shutdown sigaction signal signgam
sigset sigstack significand sin sinh sleep socket splice sprintf sqrt srand srandom sscanf
stat statfs statvfs statx stderr stdin stdout step stime strcat strchr strcmp strcpy strdup
strlen strsep strstr strtok swab swapoff swapon symlink sync syncfs syscall sysconf sysctl
sysinfo syslog system tan tanh tee telldir tempnam tfind tgamma time timegm timelocal times
timezone tmpfile tmpnam toascii tolower toupper trunc truncate tsearch ttyname ttyslot twalk
tzname tzset ualarm ulimit umask umount uname ungetc unlink unshare usleep ustat utime utimes
valloc vfork vhangup vmsplice vprintf wait waitid waitpid warn warnx write writev y0 y1 yn
""".strip().replace("\n", " ").split(" ")
