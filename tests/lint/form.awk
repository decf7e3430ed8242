# The form of a C file that a line shows: tabs of 8, 80 columns, return type
# on a line of its own.

FNR == 1 {
	was = ""
	blank = 0
}

{
	width = 0
	line = $0
	# Of a letter in UTF-8 only the first byte takes a column.
	gsub(/[\200-\277]/, "", line)
	n = split(line, part, "\t")
	for (i = 1; i < n; i++)
		width += 8 * (1 + int((width % 8 + length(part[i])) / 8)) \
		    - width % 8
	width += length(part[n])
	if (width > 80)
		print FILENAME ":" FNR ": " width " columns"
}

/[ \t]$/ { print FILENAME ":" FNR ": blanks at the end" }
/^ *\t* +\t/ && !/^ \*/ { print FILENAME ":" FNR ": blanks before a tab" }
/^        / { print FILENAME ":" FNR ": blanks instead of a tab" }
/^$/ { if (blank++ == 1) print FILENAME ":" FNR ": two empty lines" }
!/^$/ { blank = 0 }

# "static int foo(void)" before a "{" at the start of a line.
/^\{/ && was ~ /^[a-z][A-Za-z0-9_ *]*[ *][a-z0-9_]+\(.*\)$/ &&
    was !~ /^(struct|enum|union) [a-z_]+ =/ {
	print FILENAME ":" FNR - 1 ": return type on the line of the name"
}
# Of a function's type it helps the reader, else it hides what a thing is.
/^typedef / && !/\(/ { print FILENAME ":" FNR ": a typedef" }

{ was = $0 }
