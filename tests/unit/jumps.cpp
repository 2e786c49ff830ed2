// Compiled code as packages have it: C++ that unwinds its frames and lets R go on (R_UnwindProtect, R_ContinueUnwind), C code
// that jumps to the top level by itself, and C code that looks for nothing.
#include <Rinternals.h>

#include <csetjmp>
#include <ctime>

extern "C" {
void NORET Rf_jump_to_toplevel(void);
SEXP cpp_call(SEXP call);
SEXP cpp_destroyed(void);
SEXP c_jump(void);
SEXP c_spin(SEXP seconds);
}

static int destroyed;

struct Counts {
	~Counts() { destroyed++; }
};

struct Unwind {
	SEXP token;
};

static SEXP evaluate(void *call)
{
	return Rf_eval(static_cast<SEXP>(call), R_GlobalEnv);
}

static void clean(void *jump_buffer, Rboolean jump)
{
	if (jump)
		longjmp(*static_cast<std::jmp_buf *>(jump_buffer), 1);
}

static SEXP call_guarded(SEXP call, SEXP token)
{
	std::jmp_buf buffer;
	Counts counts;
	if (setjmp(buffer))
		throw Unwind{token};
	return R_UnwindProtect(evaluate, call, clean, &buffer, token);
}

SEXP cpp_call(SEXP call)
{
	SEXP token = PROTECT(R_MakeUnwindCont()), value = R_NilValue;
	bool unwinding = false;
	try {
		value = call_guarded(call, token);
	} catch (Unwind &) {
		unwinding = true;
	}
	if (unwinding)
		R_ContinueUnwind(token);
	UNPROTECT(1);
	return value;
}

SEXP cpp_destroyed(void)
{
	return Rf_ScalarInteger(destroyed);
}

SEXP c_jump(void)
{
	Rf_jump_to_toplevel();
}

SEXP c_spin(SEXP seconds)
{
	std::time_t unused = 0;
	timespec begin, now;
	timespec_get(&begin, TIME_UTC);
	do {
		timespec_get(&now, TIME_UTC);
		unused += now.tv_sec;
	} while (double(now.tv_sec - begin.tv_sec) + double(now.tv_nsec - begin.tv_nsec) / 1e9 < Rf_asReal(seconds));
	return unused ? seconds : R_NilValue;
}
