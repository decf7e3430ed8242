# Checks #include lines against layers.tab. The table comes first, then lines
# "FILE:INCLUDE" where INCLUDE still has its quotes or angles.

function fits(start, path)
{
	if (index(path, start) != 1)
		return 0
	# "sys/" and "vault." are starts as they stand, "base" is a folder.
	return start ~ /[\/.]$/ || path == start ||
	    index(path, start "/") == 1
}

function third_party(file, name,    i, places, n)
{
	if (!(name in home))
		return 0
	n = split(home[name], places, " ")
	for (i = 1; i <= n; i++)
		if (index(file, places[i]) == 1)
			return 1
	print file ": <" name "> lives in " home[name]
	return 1
}

function is_libc(name,    s)
{
	for (s in libc)
		if (name == s || (s ~ /\/$/ && index(name, s) == 1))
			return 1
	return 0
}

function row_of(file,    start, best)
{
	best = ""
	for (start in layer)
		if (fits(start, file) && length(start) > length(best))
			best = start
	return best
}

function allowed(row, name,    words, n, i, w, not, best, answer)
{
	n = split(layer[row], words, " ")
	for (i = 1; i <= n; i++) {
		w = words[i]
		not = sub(/^-/, "", w)
		if (fits(w, name) && length(w) > best) {
			best = length(w)
			answer = !not
		}
	}
	return answer
}

function own_header(file, name)
{
	sub(/\.c$/, ".h", file)
	sub(/^proto\//, "kortelijn/", file)
	return file == name
}

FNR == NR && (/^#/ || NF == 0) { next }
FNR == NR && $1 == "libc" {
	for (i = 2; i <= NF; i++)
		libc[$i]
	next
}
FNR == NR {
	key = $1 == "home" ? $2 : $1
	rest = ""
	for (i = $1 == "home" ? 3 : 2; i <= NF; i++)
		rest = rest " " $i
	if ($1 == "home")
		home[key] = rest
	else
		layer[key] = rest
	next
}

{
	file = $0
	sub(/:.*/, "", file)
	name = $0
	sub(/^[^:]*:/, "", name)
	quoted = name ~ /^"/
	gsub(/["<>]/, "", name)
	folder = file
	sub(/[^\/]*$/, "", folder)
	if (third_party(file, name) || is_libc(name))
		next
	# A header beside its file, written without its folder.
	if (quoted && name !~ /\//)
		name = folder name
	row = row_of(file)
	if (row == "")
		print file ": its folder has no row in layers.tab"
	else if (name ~ /\.c$/)
		print file ": includes the file " name
	else if (!own_header(file, name) && !allowed(row, name))
		print file ": may not include " name
	seen++
}

END {
	if (seen == 0)
		print "no include was read"
}
