using System.Globalization;
using System.Text;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>docs/conformance.md, made of the facts.</summary>
internal static class ConformanceDocument
{
    public static string Write()
    {
        var text = new StringBuilder();
        var count = Sections.All.Sum(section => section.Facts.Count);
        text.Append(CultureInfo.InvariantCulture, $$"""
            # Conformance

            What Entrepot answers on the wire, as {{count}} facts in {{Sections.All.Count}} sections. Each row is a test of the same name that sends the request over a socket
            to a running Entrepot before an upstream in memory, and compares status, headers and bytes exactly.

            - Run them: `./test.sh integration Conformance`
            - Write this page anew after a fact has changed: `ENTREPOT_WRITE_DOCS=1 dotnet test tests/integration -c Release --filter FullyQualifiedName~ConformanceDocument`;
              a test fails while the page and the facts differ.

            Rules of *Entrepot* are decisions of this product where the specifications leave a choice. Words in braces stand for what the upstream
            holds: `{small}` is the digest of a content of that name, `{layer.size}` its length in bytes, `{a*256}` 256 letters a. Requests have
            `Host` and `Connection: close` besides what is shown.

            For every answer below `/v2` it is also checked that there is one `Docker-Distribution-Api-Version: registry/2.0`, one
            `X-Content-Type-Options: nosniff`, a `Content-Length` that is the body's (304 has none), no `Content-Encoding`, `Transfer-Encoding` or
            `Server`; that HEAD has no body; and that an error is `application/json` with one error of a code and a message without control
            characters, and has no `ETag` or `Docker-Content-Digest`. What the web server refuses before that (a request that is no HTTP, or too
            large) has its status and no body, and the connection is closed.

            """);
        foreach (var section in Sections.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Title}\n\n| rule | request | answer | source |\n|---|---|---|---|\n");
            foreach (var fact in section.Facts)
                text.Append(CultureInfo.InvariantCulture, $"| {Cell(fact.Rule)} | {Request(fact)} | {Cell(string.Join(", ", fact.Answer))} | {Cell(fact.Source)} |\n");
        }

        return text.ToString();
    }

    private static string Request(Fact fact) => fact.ShowsRequest ? (fact.Where is null ? "" : $"{Cell(fact.Where)}:<br>") + string.Join("<br>", fact.Shown.Select(line => $"`{Cell(line)}`")) : Cell(fact.Shown[0]);

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);
}
