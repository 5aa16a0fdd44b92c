/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that is known by its form or by the words beside it. */

#include "marked.h"

static const char *const texts[] = {
    /* e-mail */
    "write to [[EMAIL|john.doe+tag@example.co.uk]], please",
    "<[[EMAIL|anna_k@example.org]]>",
    "mail [[EMAIL|j\xc3\xbcrg@m\xc3\xbcller.example]].",
    "[[EMAIL|bob@example.com]].Then he left",
    "a @ b and x@ and @y and user@host",
    /* web */
    "see [[URL|https://example.org/a(b)c?d=e#f]].",
    "[[PERSONAL_URL|https://www.linkedin.com/in/jane-doe]]",
    "[[PERSONAL_URL|https://example.org/~jdoe/]] and [[PERSONAL_URL|http://example.org/users/42]]",
    "[[PERSONAL_URL|https://example.org/?email=a@b.example]]",
    "see [[URL|old-mill.example.com]], [[URL|mill.the-old-one.com]], [[URL|the-old-one.com/path]]; "
    "well-known.It was",
    "visit [[URL|www.example.org]] or [[URL|example.com/path]]",
    "main.py, e.g. this, Node.js, end.It was, user.name, System.out.println",
    "[[CONNECTION_STRING|postgresql://bob:s3cret@db.example.org:5432/x]]",
    /* network */
    "from [[IP_ADDRESS|192.168.17.24]] port 22",
    "version 10.20.30.40 of it",
    "[[IP_ADDRESS|2001:db8:85a3::8a2e:370:7334]]",
    "MAC [[MAC_ADDRESS|00:1A:2B:3C:4D:5E]]",
    "at 12:30:45 on channel 12:34",
    "request 123e4567-e89b-12d3-a456-426614174000 done",
    "patient ID [[MRN|123e4567-e89b-12d3-a456-426614174000]]",
    /* phone */
    "Call [[PHONE|+1 (415) 555-1234]] today",
    "Tel. [[PHONE|+41 44 668 18 00]]",
    "Tel: [[PHONE|+41 (0)44 668 18 00]]",
    "[[PHONE|0041 44 668 18 00]]",
    "[[PHONE|(555) 123-4567]]",
    "[[PHONE|555-123-4567 ext. 89]]",
    "[[PHONE|555-123-4567x089]] or [[PHONE|(555)123-4567x12345]] or [[PHONE|+1-555-123-4567x89]]",
    "at 1920x1080, 800x600 or 555-123-4567y89",
    "T\xc3\xa9l. [[PHONE|01 23 45 67 89]]",
    "[[PHONE|030/12345678]] erreichbar",
    "Tel\xc3\xa9"
    "fono: [[PHONE|915 20 22 00]]",
    "Fax [[FAX|044 668 18 01]]",
    "please call [[PHONE|5551234567]]",
    "about 600 000 000 people, 10 000 000 and 2021-2022",
    "ISBN 978-3-16-148410-0",
    /* dates */
    "on [[DATE|03/14/2021]] and [[DATE|2021-03-14]], [[DATE|14.03.2021]] or 14.3.21, on "
    "[[DATE|14.3.21]]",
    "[[DATE|2021-03-14T12:30:00Z]]",
    "[[DATE|May 3rd, 2021]]; [[DATE|3 May 2021]]; [[DATE|3rd of May]]; [[DATE|May 3]]; [[DATE|May "
    "2021]]",
    "am [[DATE|3. Mai 2021]], le [[DATE|1er mai 2021]], il [[DATE|3 maggio 2021]]",
    "el [[DATE|3 de mayo de 2021]], [[DATE|Monday, March 3]]",
    "DOB [[DATE_OF_BIRTH|01/02/1980]]",
    "geboren am [[DATE_OF_BIRTH|24.12.1950]]",
    "since [[YEAR|2009]] we",
    "we may march in may, on Monday, at 14:30",
    "frei bis Do. [[DATE|10.09]]. und Mo., [[DATE|14.9]]. wieder; Nr. 10.09. bleibt",
    "ab dem [[DATE|01.12]]. und am Abend des [[DATE|3.4]]. im Bad; ab dem 1.2.3 nicht",
    "[[DATE|05.02]]. FD: wach\n[[DATE|06.02]].: Labor\n[[DATE|12/11]] M : toilette\n[[DATE|09/12]] "
    "vue",
    "10/12 Punkten\n1.2. Ziel\n20/20 rechts, ETT ([[DATE|13/03]]) et (10/12), TA 12/11 M",
    "Z.n. Stent [[YEAR|2014]] (LAD), Hysterektomie [[YEAR|1998]], PTH [[YEAR|2012]]; Tomie 1998",
    "eine Drainage 10 Ch. Schichtweiser Verschluss; au [[ADDRESS|10 ch. des Lilas]]",
    "seen on [[DATE|3/14]] with 120/80 and 5/10 pain, 1/2 tablet",
    "13/14/2021 and 32.01.2021",
    /* ages */
    "a [[AGE|34-year-old]] man and a [[AGE_OVER_89|94-year-old]]",
    "[[AGE_OVER_89|94 years old]], [[AGE_OVER_89|aged 94]], [[AGE_OVER_89|94 y/o]], "
    "[[AGE_OVER_89|94yo]]",
    "[[AGE_OVER_89|94 Jahre alt]], [[AGE_OVER_89|94-j\xc3\xa4hrige]] Frau, di [[AGE_OVER_89|94 "
    "anni]], de [[AGE_OVER_89|94 a\xc3\xb1os]]",
    "\xc3\xa2g\xc3\xa9"
    "e de [[AGE_OVER_89|94 ans]]; age: [[AGE|42]]; Edad: [[AGE|53 a\xc3\xb1os]]",
    "a [[AGE|6-month-old]] boy, [[AGE_OVER_89|ninety-four years old]]",
    "[[AGE|65F]] with chest pain",
    "5 years of experience, il y a 20 ans, in 30 years",
    /* addresses */
    "[[ADDRESS|12 Main Street, Apt 4B, Springfield, IL 62704]]",
    "[[ADDRESS|1600 Pennsylvania Avenue NW, Washington, DC 20500]].",
    "from [[ADDRESS|12 Emily Knoll]] to [[ADDRESS|7 Lower Hollow]], 3 new forks, at the 2nd corner",
    "[[ADDRESS|Bahnhofstrasse 12, 8001 Z\xc3\xbcrich]]",
    "wohnt [[ADDRESS|Karl-Marx-Str. 5, 10243 Berlin]]",
    "[[ADDRESS|12 rue de la Paix, 75002 Paris]]",
    "[[ADDRESS|Via Roma 10, 20121 Milano]]",
    "[[ADDRESS|Calle Mayor 5, 3\xc2\xba B]]",
    "[[PO_BOX|PO Box 123]]; [[PO_BOX|Postfach 4711, 8001 Z\xc3\xbcrich]]",
    "ZIP [[POSTCODE|02139]]",
    "in [[POSTCODE|M9W 5E7]] or [[POSTCODE|SW1A 1AA]], not B6D2F1 mice",
    "10 minutes down the road, 5 ways, 3 main points, page 12",
    /* behind a label */
    "MRN: [[MRN|483-22-91]]\n",
    "(MRN: [[MRN|ST-998877]])",
    "Aktenzeichen [[CASE_NUMBER|12-345/21]]",
    "N\xc2\xb0 de dossier : [[CASE_NUMBER|AB-12345]]",
    "NHC: [[MRN|2569870]].",
    "passport number [[PASSPORT|C01X00T47]]",
    "license plate [[LICENSE_PLATE|ZH 123456]]",
    "policy number: [[POLICY_NUMBER|POL-2023-0042]]",
    "serial number [[DEVICE_SERIAL|SN12345678]]",
    "username: [[USERNAME|jdoe84]]",
    "covid-19, type 2, omega-3, figure 12, chapter 3, 40 mg, 98.6 and $1,234.56",
    /* secrets */
    "[[AWS_KEY|AKIAIOSFODNN7EXAMPLE]]",
    "[[GITHUB_TOKEN|ghp_abcdefghijklmnopqrstuvwxyz0123456789]]",
    "[[OPENAI_KEY|sk-proj-abcdefghijklmnop1234QRST]]",
    "[[ANTHROPIC_KEY|sk-ant-api03-abcdefghijklmnop1234]]",
    "[[SLACK_TOKEN|xoxb-123456789012-abcdefGHIJ]]",
    "[[STRIPE_KEY|sk_live_abcdefghijklmnop1234]]",
    "[[JWT|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P]]",
    "password=[[PASSWORD|hunter2]]",
    "DB_PASSWORD: \"[[PASSWORD|correct horse]]\"",
    "userPassword = '[[PASSWORD|xK9!aa]]'",
    "my password is [[PASSWORD|S3same!x]]",
    "api_key = \"[[API_KEY|a8f5f167f44f4964e6c998dee827110c]]\"",
    "Authorization: Bearer [[BEARER_TOKEN|abcDEF123456789012345]]",
    "Password: must be at least eight characters, token: required",
    "[[PRIVATE_KEY|-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\n-----END RSA PRIVATE KEY-----]]",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    /* hidden and wide characters */
    "SSN [[US_SSN|123\xe2\x80\x8b-45-6789]]",
    "AHV [[CH_AHV|\xef\xbc\x97\xef\xbc\x95\xef\xbc\x96.9217.0769.85]]",
};

int main(void)
{
    marked_check_all(texts, SOTTO_COUNT(texts));
    return done_testing();
}
