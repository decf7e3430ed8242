# Compares the README's tree with the files: first the list of files, then the
# tree. What stands in the tree exists; every folder with a file stands in it;
# and a folder that names one module of its own names all (a.c stands for a.h
# too).

FNR == 1 { part++ }

part == 1 {
	path = $0
	is_file[path]
	while (sub(/\/[^\/]*$/, "", path))
		is_folder[path "/"]
	next
}

NF > 0 {
	match($0, /^ */)
	level = RLENGTH / 2
	at[level] = (level == 0 ? "" : at[level - 1]) $1
	seen[at[level]]
	if ($1 ~ /\/$/) {
		if (!(at[level] in is_folder))
			print "README.md: no folder " at[level]
	} else {
		if (!(at[level] in is_file))
			print "README.md: no file " at[level]
		if ($1 ~ /\.[ch]$/)
			names[level == 0 ? "" : at[level - 1]]
	}
}

END {
	for (path in is_folder)
		if (!(path in seen))
			print "README.md: its tree lacks " path
	for (path in is_file) {
		folder = path
		sub(/[^\/]*$/, "", folder)
		source = path
		sub(/\.h$/, ".c", source)
		if (path ~ /\.[ch]$/ && folder in names &&
		    !(path in seen) && !(source in seen))
			print "README.md: its tree lacks " path
	}
}
