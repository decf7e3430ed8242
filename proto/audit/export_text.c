#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/vkey.h>

#include "proto/audit/export_priv.h"

/* SubjectPublicKeyInfo of an Ed25519 key up to the key. RFC 8410. */
static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
	0x65, 0x70, 0x03, 0x21, 0x00 };
#define DER_BYTES (sizeof spki + sizeof(struct kl_sign_pk))

static void
der_make(const struct kl_sign_pk *pk, uint8_t out[DER_BYTES])
{
	memcpy(out, spki, sizeof spki);
	memcpy(out + sizeof spki, pk->b, sizeof pk->b);
}

static int
pem_put(struct exporting *x)
{
	uint8_t der[DER_BYTES];
	char base64[80], text[200];
	int err;

	der_make(x->of->pk, der);
	if ((err = kl_base64(KL_BYTES_OF(der), base64, sizeof base64)) !=
	    KL_OK)
		return err;
	(void)snprintf(text, sizeof text, "-----BEGIN PUBLIC KEY-----\n%s\n"
	    "-----END PUBLIC KEY-----\n", base64);
	return audit_dirout_file(x->out, "log-key.pem", kl_bytes_str(text));
}

static int
vkey_put(struct exporting *x)
{
	char text[KL_VKEY_MAX + 1];
	struct kl_vkey v;
	int err = kl_vkey_make(x->head.origin, KL_NOTE_ED25519, x->of->pk,
	    &v);

	if (err != KL_OK)
		return err;
	(void)snprintf(text, sizeof text, "%s\n", kl_vkey_text(&v).b);
	return audit_dirout_file(x->out, "log.vkey", kl_bytes_str(text));
}

/* ---- VERIFY.txt ---- */

/* Lines that begin with four spaces are commands of sh; a test runs them. */
static const char steps[] =
    "DIT NAREKENEN / VERIFYING THIS\n"
    "\n"
    "Met OpenSSL 3 en een shell, zonder iets van Kortelijn. Voer de\n"
    "ingesprongen regels uit in deze map, van boven naar beneden.\n"
    "With OpenSSL 3 and a shell, and nothing of Kortelijn. Run the indented\n"
    "lines in this directory, from top to bottom.\n"
    "\n"
    "'kortelijn audit verify MAP' doet dit alles voor elke regel van het\n"
    "logboek, vergelijkt alle controlepunten en toetst de regels.\n"
    "'kortelijn audit verify DIR' does all of it for each leaf of the log,\n"
    "compares all checkpoints and looks at the rules.\n"
    "\n"
    "1. DE SLEUTEL / THE KEY\n"
    "\n"
    "Vergelijk deze met die van de kaart van de broker, en de eerste regel\n"
    "van 'checkpoint' met de naam van het logboek, die u van elders heeft:\n"
    "anders bewijst deze map niets.\n"
    "Compare it with that of the broker's card, and the first line of\n"
    "'checkpoint' with the name of the log, which you have from elsewhere:\n"
    "else this directory proves nothing.\n"
    "\n"
    "    openssl pkey -pubin -in log-key.pem -outform DER |\n"
    "        openssl dgst -sha256 -r\n"
    "\n";

static const char steps_signature[] =
    "2. DE HANDTEKENING / THE SIGNATURE\n"
    "\n"
    "Hij zet: Signature Verified Successfully. / It prints the same.\n"
    "\n"
    "    T=$(mktemp -d)\n"
    "    sed '/^$/,$d' checkpoint >\"$T/text\"\n"
    "    name=$(head -n 1 checkpoint)\n"
    "    sed '1,/^$/d' checkpoint | grep -F \" $name \" |\n"
    "        sed -e 's/.* //' -e q | openssl base64 -d -A |\n"
    "        tail -c 64 >\"$T/sig\"\n"
    "    openssl pkeyutl -verify -pubin -inkey log-key.pem -rawin \\\n"
    "        -in \"$T/text\" -sigfile \"$T/sig\"\n"
    "\n"
    "3. DE WORTEL / THE ROOT\n"
    "\n"
    "De hashes aan de rechterrand geven samen de wortel die ondertekend is.\n"
    "The hashes at the right edge make the root that was signed.\n"
    "\n"
    "    size=$(sed -n 2p checkpoint)\n"
    "    path() {\n"
    "        p=$(printf %03d $(($1 % 1000))); r=$(($1 / 1000))\n"
    "        while [ $r -gt 0 ]; do\n"
    "            p=$(printf 'x%03d/%s' $((r % 1000)) \"$p\"); r=$((r / 1000))\n"
    "        done\n"
    "        echo \"$p\"\n"
    "    }\n"
    "    file() {\n"
    "        w=$((size >> 8 * $2))\n"
    "        if [ $3 -lt $((w >> 8)) ]; then echo \"$1/$(path $3)\"\n"
    "        else echo \"$1/$(path $3).p/$((w % 256))\"; fi\n"
    "    }\n"
    "    sha() { openssl dgst -sha256 -binary; }\n"
    "    fold() {\n"
    "        cp \"$1\" \"$T/f\"\n"
    "        while m=$(($(wc -c <\"$T/f\") / 64)); [ $m -gt 0 ]; do\n"
    "            j=0\n"
    "            while [ $j -lt $m ]; do\n"
    "                { printf '\\001'\n"
    "                  dd if=\"$T/f\" bs=64 skip=$j count=1 2>/dev/null\n"
    "                } | sha\n"
    "                j=$((j + 1))\n"
    "            done >\"$T/u\"\n"
    "            mv \"$T/u\" \"$T/f\"\n"
    "        done\n"
    "        cat \"$T/f\"\n"
    "    }\n"
    "    : >\"$T/root\"\n"
    "    level=0\n"
    "    while [ $((size >> 8 * level)) -gt 0 ]; do\n"
    "        end=$(((size >> 8 * level) % 256)); part=1\n"
    "        tile=$(file tile/$level $level $((size >> 8 * level + 8)))\n"
    "        while [ $end -gt 0 ]; do\n"
    "            if [ $((end & part)) -gt 0 ]; then\n"
    "                end=$((end - part))\n"
    "                dd if=\"$tile\" bs=32 skip=$end count=$part \\\n"
    "                    >\"$T/part\" 2>/dev/null\n"
    "                fold \"$T/part\" >\"$T/left\"\n"
    "                cat \"$T/left\" \"$T/root\" >\"$T/both\"\n"
    "                fold \"$T/both\" >\"$T/root\"\n"
    "            fi\n"
    "            part=$((part * 2))\n"
    "        done\n"
    "        level=$((level + 1))\n"
    "    done\n"
    "    signed=$(sed -n 3p checkpoint)\n"
    "    [ \"$(openssl base64 -A <\"$T/root\")\" = \"$signed\" ] &&\n"
    "        echo 'root: OK'\n"
    "\n"
    "4. EEN RECORD / A RECORD\n"
    "\n"
    "LEAF is het nummer van de regel (kolom 1 van records.csv).\n"
    "LEAF is the number of the leaf (column 1 of records.csv).\n"
    "\n";

static const char steps_record[] =
    "    n=$((LEAF / 256)); i=$((LEAF % 256)); at=0\n"
    "    bundle=$(file records 0 $n)\n"
    "    while set -- $(od -An -tu1 -j $at -N 2 \"$bundle\")\n"
    "        len=$(($1 * 256 + $2)); [ $i -gt 0 ]; do\n"
    "        at=$((at + 2 + len)); i=$((i - 1))\n"
    "    done\n"
    "    { printf '\\000kortelijn/v1/leaf\\000'\n"
    "      tail -c +$((at + 3)) \"$bundle\" | head -c $len | sha; } |\n"
    "        sha >\"$T/leaf\"\n"
    "    level=0; i=$((LEAF % 256))\n"
    "    while tile=$(file tile/$level $level $n)\n"
    "        dd if=\"$tile\" bs=32 skip=$i count=1 2>/dev/null |\n"
    "            cmp - \"$T/leaf\" && [ \"${tile%.p/*}\" = \"$tile\" ]; do\n"
    "        fold \"$tile\" >\"$T/leaf\"\n"
    "        level=$((level + 1)); i=$((n % 256)); n=$((n / 256))\n"
    "    done\n"
    "    dd if=\"$tile\" bs=32 skip=$i count=1 2>/dev/null |\n"
    "        cmp - \"$T/leaf\" && echo \"leaf $LEAF: OK\"\n"
    "    rm -r \"$T\"\n"
    "\n"
    "Wat daarin staat: PROTOCOL.md 10.2, als protobuf.\n"
    "What stands in it: PROTOCOL.md 10.2, as protobuf.\n";

static int
steps_put(struct exporting *x, FILE *f)
{
	uint8_t der[DER_BYTES];
	const struct kl_bytes bytes = KL_BYTES_OF(der);
	struct kl_hash h;
	char hex[65];

	der_make(x->of->pk, der);
	h = kl_sha256_parts(&bytes, 1);
	kl_hex(KL_BYTES_OF(h.b), hex);
	fputs(steps, f);
	fprintf(f, "%s\n\n", hex);
	fputs(steps_signature, f);
	fprintf(f, "    LEAF=%" PRIu64 "\n", x->first_leaf);
	fputs(steps_record, f);
	return ferror(f) != 0 ? KL_E_IO : KL_OK;
}

int
audit_export_text(struct exporting *x)
{
	FILE *f = NULL;
	int err;

	if ((err = pem_put(x)) != KL_OK || (err = vkey_put(x)) != KL_OK)
		return audit_export_fail(x, err, "log.vkey");
	if ((err = audit_dirout_stream(x->out, "VERIFY.txt", &f)) == KL_OK)
		err = steps_put(x, f);
	if (f != NULL && fclose(f) != 0 && err == KL_OK)
		err = KL_E_IO;
	return err == KL_OK ? CLI_OK : audit_export_fail(x, err,
	    "VERIFY.txt");
}
