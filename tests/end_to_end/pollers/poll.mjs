// Polls by a Node.js library: `poll.mjs LIBRARY URL...`.
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";

const byModule = (url) =>
  new Promise((resolve, reject) => {
    const { get } = url.startsWith("https:") ? https : http;
    get(url, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });
const byAxios = async (url) => {
  // Azurite brings axios.
  const axios = createRequire(process.env.AXIOS_FROM)("axios");
  return (await axios.get(url, { proxy: false })).status;
};
const byFetch = async (url) => (await fetch(url)).status;

const [library, ...urls] = process.argv.slice(2);
for (const url of urls) {
  try {
    console.log(await { https: byModule, axios: byAxios, fetch: byFetch }[library](url));
  } catch (error) {
    console.log(`${error.message} ${error.cause?.message ?? ""}`);
  }
}
process.exit();
