#include "jupyter/connection.h"
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

static struct jp_connection c;
static struct err e;

/* JSON with ' for ". */
static bool parse(const char *text)
{
	char json[70000];
	snprintf(json, sizeof json, "%s", text);
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	e.msg[0] = '\0';
	return jp_connection_parse(&c, json, strlen(json), "conn.json", &e);
}

#define PORTS "'shell_port':1,'iopub_port':2,'stdin_port':3,'control_port':4,'hb_port':5"

static void refused(const char *text, const char *why)
{
	if (CHECK(!parse(text)))
		CHECK_HAS(e.msg, why);
	else
		fprintf(stderr, "    %s\n", text);
	CHECK(strncmp(e.msg, "conn.json: ", 11) == 0);
}

TEST(a_usual_file)
{
	CHECK(parse("{" PORTS ",'ip':'127.0.0.1','key':'secret','transport':'tcp','signature_scheme':'hmac-sha256',"
		    "'kernel_name':'carrack','jupyter_session':'/x.ipynb'}"));
	CHECK(!c.ipc);
	CHECK_STR(c.ip, "127.0.0.1");
	CHECK_INT(c.port[JP_SHELL], 1);
	CHECK_INT(c.port[JP_IOPUB], 2);
	CHECK_INT(c.port[JP_STDIN], 3);
	CHECK_INT(c.port[JP_CONTROL], 4);
	CHECK_INT(c.port[JP_HB], 5);
	CHECK_INT(c.registration_port, 0);
	CHECK(c.key.on);
}

TEST(defaults)
{
	CHECK(parse("{" PORTS "}"));
	CHECK(!c.ipc && !c.key.on);
	CHECK_STR(c.ip, "127.0.0.1");
	CHECK(parse("{" PORTS ",'key':'','signature_scheme':'whatever'}")); /* unsigned: the scheme does not matter */
	CHECK(!c.key.on);
}

TEST(endpoints)
{
	char out[JP_ENDPOINT_MAX];
	CHECK(parse("{" PORTS ",'ip':'*'}"));
	jp_endpoint(&c, 8080, out);
	CHECK_STR(out, "tcp://*:8080");
	jp_endpoint(&c, 0, out);
	CHECK_STR(out, "tcp://*:*");
	CHECK(parse("{" PORTS ",'transport':'ipc','ip':'/run/user/0/kernel-1'}"));
	CHECK(c.ipc);
	jp_endpoint(&c, c.port[JP_IOPUB], out);
	CHECK_STR(out, "ipc:///run/user/0/kernel-1-2");
}

TEST(a_registration_file)
{
	CHECK(parse("{'transport':'tcp','ip':'127.0.0.1','registration_port':4242,'key':'k','kernel_id':'abc',"
		    "'signature_scheme':'hmac-sha256'}"));
	CHECK_INT(c.registration_port, 4242);
	CHECK_STR(c.kernel_id, "abc");
	for (int i = 0; i < JP_CHANNELS; i++)
		CHECK_INT(c.port[i], 0);
	refused("{'registration_port':'4242'}", "`registration_port` must be a port number");
}

TEST(what_is_refused)
{
	refused("", "JSON object");
	refused("[]", "JSON object");
	refused("{}", "`shell_port` must be a port number");
	refused("{'shell_port':1,'iopub_port':2,'stdin_port':3,'control_port':4}", "`hb_port`");
	refused("{'shell_port':65536}", "`shell_port`");
	refused("{'shell_port':-1}", "`shell_port`");
	refused("{'shell_port':'1'}", "`shell_port`");
	refused("{'shell_port':null}", "`shell_port`");
	refused("{'shell_port':1.5}", "`shell_port`");
	refused("{'shell_port':1e300}", "`shell_port`");
	refused("{" PORTS ",'key':5}", "`key` must be a string"); /* and not: unsigned */
	refused("{" PORTS ",'key':null}", "`key` must be a string");
	refused("{" PORTS ",'transport':'pgm'}", "tcp or ipc, not `pgm`");
	refused("{" PORTS ",'transport':7}", "`transport` must be a string");
	refused("{" PORTS ",'ip':null}", "`ip` must be a string");
	refused("{" PORTS ",'key':'k','signature_scheme':'hmac-md5'}", "`signature_scheme` must be hmac-sha256");
	refused("{" PORTS ",'key':'k','signature_scheme':1}", "`signature_scheme` must be a string");
}

#define KEY40 "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

TEST(curve_keys_come_in_pairs)
{
	CHECK(parse("{" PORTS ",'curve_publickey':'" KEY40 "','curve_secretkey':'" KEY40 "'}"));
	CHECK(c.curve);
	CHECK_STR(c.curve_secret, KEY40);
	CHECK(parse("{" PORTS "}"));
	CHECK(!c.curve);
	refused("{" PORTS ",'curve_publickey':'" KEY40 "'}", "`curve_secretkey`");
	refused("{" PORTS ",'curve_secretkey':'" KEY40 "'}", "`curve_publickey`");
	refused("{" PORTS ",'curve_publickey':'" KEY40 "','curve_secretkey':''}", "40 characters");
	refused("{" PORTS ",'curve_publickey':'" KEY40 "','curve_secretkey':'" KEY40 "x'}", "longer");
	refused("{" PORTS ",'curve_publickey':null,'curve_secretkey':null}", "`curve_publickey`");
}

TEST(names_have_ceilings)
{
	char text[2000], name[1000];
	memset(name, 'x', sizeof name);
	snprintf(text, sizeof text, "{" PORTS ",'transport':'ipc','ip':'%.255s'}", name);
	CHECK(parse(text));
	char out[JP_ENDPOINT_MAX];
	jp_endpoint(&c, 65535, out);
	CHECK_INT(strlen(out), 6 + 255 + 6); /* nothing is cut off */
	snprintf(text, sizeof text, "{" PORTS ",'transport':'ipc','ip':'%.256s'}", name);
	refused(text, "`ip` is longer");
	snprintf(text, sizeof text, "{" PORTS ",'kernel_id':'%.128s'}", name);
	refused(text, "`kernel_id` is longer");
}

TEST(any_length_of_key)
{
	static char text[70000];
	for (int n = 1; n < 60000; n = n * 5 + 1) {
		int at = snprintf(text, sizeof text, "{" PORTS ",'key':'");
		memset(text + at, 'k', (size_t)n);
		snprintf(text + at + n, 3, "'}");
		CHECK(parse(text));
		CHECK(c.key.on);
	}
}

TEST(reading_files)
{
	char path[PATH_MAX];
	CHECK(!jp_connection_read(&c, unit_path(path, "none"), &e));
	CHECK_HAS(e.msg, path);
	CHECK_HAS(e.msg, "No such file");
	CHECK(!jp_connection_read(&c, unit_dir, &e));
	unit_path(path, "file");
	int fd = open(path, O_CREAT | O_RDWR, 0600);
	const char *good = "{\"shell_port\":1,\"iopub_port\":2,\"stdin_port\":3,\"control_port\":4,\"hb_port\":5}";
	CHECK_INT(write(fd, good, strlen(good)), strlen(good));
	CHECK(jp_connection_read(&c, path, &e));
	CHECK_INT(c.port[JP_HB], 5);
	CHECK_INT(ftruncate(fd, 1 << 20), 0);
	CHECK(!jp_connection_read(&c, path, &e));
	CHECK_HAS(e.msg, "larger than");
	close(fd);
}

UNIT_MAIN
