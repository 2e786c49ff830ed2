#include "kernel/kernelspec.h"

#include "base/json.h"
#include "kernel/embedded.h"

#include <errno.h>
#include <unistd.h>
#include <zmq.h>

#define SPEC_MAX ((size_t)1 << 19)

bool kernelspec_name(const char *name, char out[KERNELSPEC_NAME_MAX + 1], struct err *e)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(name);
	bool ok = n > 0 && n <= KERNELSPEC_NAME_MAX && name[0] != '.';
	for (size_t i = 0; ok && i < n; i++) {
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
		ok = strchr(legal, out[i]) != NULL;
	}
	if (!ok)
		return err_set(
		    e,
		    "a kernelspec's name is made of at most %d letters, digits, '.', '_' and '-', and does not "
		    "begin with '.'; got '%.120s'",
		    KERNELSPEC_NAME_MAX, name);
	out[n] = '\0';
	return true;
}

bool kernelspec_text(const struct kernelspec_new *k, struct buf *out, struct err *e)
{
	json_t *argv = json_pack("[s, s, s, s]", k->program, "kernel", "--session-mode", k->mode);
	bool ok = argv && (!k->r_home || (json_array_append_new(argv, json_string("--r-home")) == 0 &&
					  json_array_append_new(argv, json_string(k->r_home)) == 0));
	ok = ok && json_array_append_new(argv, json_string("{connection_file}")) == 0;
	/* JEP 145: launchers give keys only to kernels that say they take them. */
	json_t *encryption = zmq_has("curve") ? json_pack("[s]", "curve") : json_array();
	ok = ok && encryption;
	/* clang-format off */
	json_t *spec = ok ? json_pack("{s:O, s:s, s:s, s:s, s:s, s:O, s:{s:O}}",
		"argv", argv,
		"display_name", k->display_name,
		"language", "R",
		"interrupt_mode", "message",
		"kernel_protocol_version", "5.5",
		"env", k->env,
		"metadata", "supported_encryption", encryption) : NULL;
	/* clang-format on */
	char *text = spec ? json_dumps(spec, JSON_INDENT(2)) : NULL;
	if (text) {
		buf_puts(out, text);
		buf_putc(out, '\n');
	}
	ok = text && !out->failed;
	free(text);
	json_decref(spec);
	json_decref(argv);
	json_decref(encryption);
	return ok || err_set(e, "a path, name or variable for the kernelspec is not valid UTF-8; JSON cannot hold it");
}

static bool path_in(char out[KN_PATH], const char *dir, const char *name, struct err *e)
{
	return kn_path(out, "%s/%s", dir, name) || err_set(e, "the path %s/%s is too long", dir, name);
}

bool kernelspec_exists(const char *dir)
{
	char path[KN_PATH];
	return kn_path(path, "%s/kernel.json", dir) && kn_is_file(path);
}

bool kernelspec_read(const char *dir, struct kernelspec_seen *k, struct err *e)
{
	char path[KN_PATH];
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	*k = (struct kernelspec_seen){0};
	bool ok = path_in(path, dir, "kernel.json", e) && kn_file_read(path, SPEC_MAX, &text, e);
	if (ok)
		k->json = json_object_from(text.data, text.len, path, e);
	buf_release(&text);
	if (!k->json)
		return false;
	const char *argv0 = json_string_value(json_array_get(json_object_get(k->json, "argv"), 0));
	k->argv0 = argv0 ? argv0 : "";
	k->display_name = json_string_or(k->json, "display_name", "");
	k->language = json_string_or(k->json, "language", "");
	k->ours = strcmp(kn_path_base(k->argv0), KERNELSPEC_NAME) == 0;
	return true;
}

void kernelspec_seen_release(struct kernelspec_seen *k)
{
	json_decref(k->json);
	*k = (struct kernelspec_seen){0};
}

/* True if there is no kernelspec in dir or it is ours. */
static bool may_touch(const char *dir, struct err *e)
{
	struct kernelspec_seen seen;
	if (!kernelspec_exists(dir))
		return true;
	if (!kernelspec_read(dir, &seen, e))
		return err_context(e, "%s holds a kernelspec that cannot be read, so it is left alone", dir);
	bool ours = seen.ours;
	if (!ours)
		err_set(
		    e,
		    "%s is the kernelspec of another kernel (it starts '%.200s'), so it is left alone; choose another "
		    "--name",
		    dir, seen.argv0);
	kernelspec_seen_release(&seen);
	return ours;
}

bool kernelspec_write(const char *dir, const struct kernelspec_new *k, struct err *e)
{
	char path[KN_PATH];
	struct buf text = BUF_INIT(SPEC_MAX);
	bool ok = may_touch(dir, e) && kernelspec_text(k, &text, e) && kn_dirs_make(dir, e);
	for (size_t i = 0; ok && i < kernelspec_logos_n; i++) {
		const struct embedded_file *logo = &kernelspec_logos[i];
		ok = path_in(path, dir, logo->name, e) && kn_file_write(path, logo->data, logo->len, e);
	}
	/* Last: with it the kernelspec exists. */
	ok = ok && path_in(path, dir, "kernel.json", e) && kn_file_write(path, text.data, text.len, e);
	buf_release(&text);
	return ok;
}

static bool remove_file(const char *dir, const char *name, struct err *e)
{
	char path[KN_PATH];
	if (!path_in(path, dir, name, e))
		return false;
	return unlink(path) == 0 || errno == ENOENT || err_errno(e, "cannot remove %s", path);
}

bool kernelspec_remove(const char *dir, bool *left, struct err *e)
{
	if (!may_touch(dir, e) || !remove_file(dir, "kernel.json", e))
		return false;
	for (size_t i = 0; i < kernelspec_logos_n; i++)
		if (!remove_file(dir, kernelspec_logos[i].name, e))
			return false;
	/* A kernelspec may be a link to a directory elsewhere, which is somebody's own. */
	*left = rmdir(dir) != 0 && unlink(dir) != 0;
	return true;
}
