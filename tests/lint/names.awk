# Checks exported names against names.tab. The table comes first, then lines
# "MODULE NAME", MODULE being the path of the object without its ending.

FNR == NR {
	if (/^#/ || NF == 0)
		next
	for (i = 2; i <= NF; i++) {
		nouns[$1] = nouns[$1] " " $i
		if (($i, "") in owner)
			print "names.tab: " $i " has two owners"
		owner[$i, ""]
	}
	next
}

{
	module = $1
	name = $2
	seen++
	if (module ~ /^proto\/audit\//) {
		if (!sub(/^audit_/, "", name)) {
			print module ": " $2 " does not start with audit_"
			next
		}
	} else if (module ~ /^proto\// && module !~ /^proto\/cli\// &&
	    !sub(/^kl_/, "", name)) {
		print module ": " $2 " does not start with kl_"
		next
	}
	own = module
	sub(/.*\//, "", own)
	n = split(own nouns[module], words, " ")
	for (i = 1; i <= n; i++)
		if (name == words[i] || index(name, words[i] "_") == 1)
			next
	print module ": " $2 " does not start with its module's name"
}

END {
	if (seen == 0)
		print "no name was read"
}
