// SPDX-License-Identifier: ISC
// wsclient.js ADDRESS - opens that WebSocket with Node's own client, or with the package ws, and
// prints "NAME HEX" of the first message. All names lead to this machine. The authority of the
// certificate is in NODE_EXTRA_CA_CERTS.
"use strict";
const dns = require("dns");

dns.lookup = (host, options, done) => {
	if (typeof options === "function")
		options(null, "127.0.0.1", 4);
	else if (options.all)
		done(null, [{ address: "127.0.0.1", family: 4 }]);
	else
		done(null, "127.0.0.1", 4);
};

const own = globalThis.WebSocket !== undefined;
const Socket = own ? globalThis.WebSocket : require("ws");
// Browsers and Node's own client offer ALPN by themselves, the package ws does when told.
const socket = own ? new Socket(process.argv[2])
	: new Socket(process.argv[2], { ALPNProtocols: ["http/1.1"] });

const limit = setTimeout(() => {
	console.log("no message in 10 seconds");
	process.exit(1);
}, 10000);
socket.binaryType = "arraybuffer";
socket.onmessage = (message) => {
	console.log(own ? "node" : "node-ws", Buffer.from(message.data).toString("hex"));
	clearTimeout(limit);
	socket.close();
};
socket.onerror = (event) => {
	console.log("error:", event.message || (event.error && event.error.message) || event.type);
	process.exit(1);
};
