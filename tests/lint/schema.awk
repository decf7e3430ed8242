# Schemas: proto2, bytes and numbers only, every field of a signed part
# required or repeated, nothing that may hold itself.

FNR == 1 {
	if (NR > 1)
		closed()
	file = FILENAME
	syntax = 0
	signed = file ~ /signed\.proto$/
	split("", known)
	at = ""
}

function closed()
{
	if (!syntax)
		print file ": no syntax proto2"
}

{ sub(/\/\/.*/, "") }
/^syntax = "proto2";/ { syntax = 1 }
/^(import|extend) / { print file ":" FNR ": " $1 }
/^message / { at = $2 }
/^}/ {
	# Known only from here on: so no message holds itself.
	known[at]
	at = ""
}

at != "" && /=/ {
	seen++
	if ($1 !~ /^(required|optional|repeated)$/)
		print file ":" FNR ": a field of the kind " $1
	else if (signed && $1 == "optional")
		print file ":" FNR ": an optional field in a signed part"
	if ($2 !~ /^(bytes|uint32|uint64|int64|fixed32|fixed64)$/ &&
	    !($2 in known))
		print file ":" FNR ": the type " $2 " of " $3 \
		    " is no bytes or number, or is not yet closed"
}

END {
	closed()
	if (seen == 0)
		print "no field was read"
}
