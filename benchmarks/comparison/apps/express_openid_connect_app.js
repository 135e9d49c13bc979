const express = require("express");
const { auth } = require("express-openid-connect");

const app = express();
app.use(auth({ authorizationParams: { response_type: "code", scope: "openid email profile" } }));

app.get("/", (req, res) => {
  res.send(`Hello ${req.oidc.user.name}`);
});

app.listen(process.env.PORT, "127.0.0.1");
