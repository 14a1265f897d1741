"""The symbols that a pure part may import. A symbol that is not listed is not pure."""
import re

# Memory, text, sorting, and the end of a process that has a bug.
LIBC = frozenset("""
    malloc calloc realloc free
    memchr memcmp memcpy memmove memset explicit_bzero
    strcasecmp strchr strcmp strcspn strdup strlen strncmp strrchr strspn strstr strtoll
    tolower toupper __ctype_b_loc
    snprintf vsnprintf
    inet_pton
    bsearch qsort
    __assert_fail __errno_location
""".split())
# Symbols of compilers and their sanitizers.
COMPILER = re.compile(r"_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(asan|ubsan|tsan|sanitizer)_\w+")
# Pure libraries, for the core alone.
CORE = re.compile(r"cJSON_\w+|nettle_(sha1|sha256|hmac_sha256)_\w+|nettle_memeql_sec")

# Only for a telling message; the lists above decide.
KINDS = {
    "a socket": r"socket|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo|poll|ppoll|select|"
                r"epoll_\w+|eventfd|pipe2?|shutdown|[gs]etsockopt",
    "a file": r"f?open(at|64)?|fdopen|f?close|f?read|f?write|f?printf|puts|putc|putchar|fput[cs]|fgets|fflush|stat|"
              r"fstat|unlink|rename|mkdir|stdin|stdout|stderr|perror|syslog|getenv|secure_getenv|ioctl|fcntl|mmap",
    "a clock": r"time|clock|clock_\w+|gettimeofday|localtime(_r)?|gmtime(_r)?|mktime|strftime|(u|nano)?sleep|alarm|"
               r"timer\w+",
    "a thread": r"pthread_\w+|thrd_\w+|mtx_\w+|sem_\w+|fork|vfork|exec\w+|system|popen|kill|raise|signal|sigaction|"
                r"wait(pid)?",
    "entropy": r"getrandom|getentropy|s?rand(om)?(_r)?|arc4random\w*|[delmn]rand48",
    "rabbitmq-c": r"amqp_\w+",
    "libpq": r"(PQ|lo_|pg_)\w+",
    "libcurl": r"curl_\w+",
    "civetweb": r"mg_\w+",
    "the rest of libbus": r"bus_\w+",
}


def plain(symbol):
    """Without what _FORTIFY_SOURCE and newer versions of libc make of a name."""
    return re.sub(r"^__(isoc\d+_)?(\w+?)(_chk)?$", lambda found: found.group(2) if found.group(1) or found.group(3)
                  else symbol, symbol)


def why_not_pure(symbol, in_core=False):
    """None: it may be asked for."""
    name = plain(symbol)
    if name in LIBC or COMPILER.fullmatch(symbol) or in_core and CORE.fullmatch(symbol):
        return None
    return next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, name)), "not on the list")
