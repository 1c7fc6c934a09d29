#!/bin/bash
# LibreOffice without a window: a page with many paragraphs and a table becomes a PDF and a text. (Needs a gigabyte.)
# ALL
# TIMEOUT 900
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

/usr/bin/python3 - >page.html <<'END_OF_MAKER'
print("<html><head><title>A page</title></head><body><h1>A page</h1>")
for i in range(300):
    print(f"<p>Paragraph {i} has <b>some</b> words, <i>as many</i> as {' '.join(str(k * i % 997) for k in range(40))}.</p>")
print("<table border=1>")
for i in range(80):
    print("<tr>" + "".join(f"<td>{i * k}</td>" for k in range(8)) + "</tr>")
print("</table></body></html>")
END_OF_MAKER

# A PDF says when it was made, and has an identity made of that.
cat >work.sh <<'END_OF_WORK'
office() { soffice "-env:UserInstallation=file://$PWD/profile" --headless --convert-to "$@"; echo "soffice ended with $?"; }
office pdf page.html
office txt:Text page.html
LC_ALL=C sed -E '/CreationDate|^\/ID |DocChecksum|^<[0-9A-F]{32}>/d' page.pdf | cksum
cksum page.txt
END_OF_WORK
real_prepare() { cp ../page.html ../work.sh .; }
real_normal() { sed 's|[^ ]*/page\.|page.|g'; }
real_allow=(--program soffice.bin)
real_program 500000 bash work.sh
