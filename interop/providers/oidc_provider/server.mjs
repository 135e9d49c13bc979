// oidc-provider with a person, the clients and the keys of the file that is its argument.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const world = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { login, name, given_name, family_name, email } = world.person;
const algorithms = ["RS256", "ES256", "PS256", "EdDSA"];

const provider = new Provider(world.issuer, {
  clients: world.clients,
  jwks: { keys: world.keys },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  features: { jwtUserinfo: { enabled: true } },
  clientAuthMethods: ["client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none"],
  claims: { openid: ["sub"], profile: ["name", "given_name", "family_name"], email: ["email"] },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(id === login ? { name, given_name, family_name, email } : {}) }),
  }),
  pkce: { required: () => true },
  cookies: { keys: ["a key for cookies that live for a minute"] },
});

provider.listen(world.port, "127.0.0.1");
