using FsCheck;
using FsCheck.Fluent;

namespace Entrepot.IntegrationTests.Fuzz;

/// <summary>Requests that are nearly right: each part is a good one, a bad one of its kind, or text that was never meant for it.</summary>
internal static class RequestGenerator
{
    /// <summary>Requests for what the registry has, and for much that it has not.</summary>
    /// <param name="known">Names, references and digests that exist.</param>
    public static Gen<RawRequest> Of(KnownContent known) =>
        from method in Method
        from target in Target(known)
        from headers in Headers(known)
        from body in Gen.Frequency((9, Gen.Constant("")), (1, Noise(40)))
        let length = body.Length > 0 ? [$"Content-Length: {body.Length}"] : Array.Empty<string>()
        select new RawRequest(method, target, "HTTP/1.1", [.. headers, .. length, "Connection: close"], body);

    private static Gen<string> Method => Gen.Frequency(
        (6, Gen.Constant("GET")), (2, Gen.Constant("HEAD")),
        (1, Gen.Elements("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "G-T")));

    private static Gen<string> Target(KnownContent known) =>
        from name in Gen.Frequency((5, Gen.Elements<string>([.. known.Names])), (2, Name), (1, Mangled(Gen.Elements<string>([.. known.Names]))))
        from route in Gen.Elements("manifests", "blobs", "referrers", "tags", "manifests/manifests", "blobs/uploads", "_catalog", "")
        from reference in Reference(route == "blobs" ? known.Blobs : known.Manifests)
        from query in Query
        from blob in Gen.Elements<string>([.. known.Blobs])
        from path in Gen.Frequency(
            (3, Gen.Constant($"/v2/library/small/blobs/{blob}")),
            (8, Gen.Constant($"/v2/{name}/{route}/{reference}")), (1, Gen.Constant($"/v2/{name}/tags/list")), (1, Gen.Constant($"/v2/_catalog")),
            (1, Gen.Constant($"/v2{reference}")), (1, Mangled(Gen.Constant($"/v2/{name}/{route}/{reference}"))))
        select Visible(path + query);

    private static Gen<string> Name => Gen.Elements(
        "UPPER/case", "a//b", "a/../b", "../etc/passwd", ".", "..", "-a", "a-", "a__b/c", "a___b", "a..b", "library/manifests/blobs", "docker.io/x", "docker.io",
        "tags/list", "%2e%2e/x", "a%2Fb", "a%00b", "a%zzb", "a%", "%", "caf%C3%A9", "\u00e9", new string('a', 255), new string('a', 256), new string('a', 3000), "a/b/c/d/e/f/g/h/i/j/k");

    private static Gen<string> Reference(IReadOnlyList<string> known) => Gen.Frequency(
        (5, Gen.Elements<string>([.. known])),
        (2, Hex(64).Select(hex => $"sha256:{hex}")),
        (1, Hex(128).Select(hex => $"sha512:{hex}")),
        (2, Gen.Choose(0, 130).SelectMany(n => Hex(n)).SelectMany(hex => Gen.Elements("sha256:", "sha512:", "md5:", "sha256", ":", "sha256::", "SHA256:").Select(a => a + hex))),
        (1, Gen.Elements("latest", "-x", ".x", new string('t', 128), new string('t', 129), "", " ", "%20", "a:b", "a@b", "sha256%3Aabc", "1%2F2", "list")),
        (1, Mangled(Gen.Elements<string>([.. known]))));

    private static Gen<string> Query => Gen.Frequency(
        (4, Gen.Constant("")),
        (3, from key in Gen.Elements("ns", "n", "last", "artifactType", "N", "x", "")
            from value in Gen.Frequency((3, Gen.Elements("docker.io", "evil.example", "0", "1", "-1", "99999999999999999999", "1e9", "%00", "%", "a%26b", "application/x", "ns")), (1, Noise(30)))
            from more in Gen.Elements("", "&n=2", "&ns=docker.io&ns=ghcr.io", "&&&", "&last=%ff")
            select $"?{key}={value}{more}"),
        (1, Noise(60).Select(noise => "?" + noise)));

    private static Gen<string[]> Headers(KnownContent known) =>
        from host in Gen.Frequency((8, Gen.Constant("Host: localhost")), (1, Gen.Elements("Host: ", "Host: evil.example:99999", "Host: [::1]:5", "Host: a b", "host: x:y:z")), (1, Gen.Constant("X-No-Host: 1")))
        from others in Header(known).ArrayOf().Resize(5)
        select others.Prepend(host).ToArray();

    private static Gen<string> Header(KnownContent known) => Gen.Frequency(
        (4, Range.Select(range => $"Range: {range}")),
        (2, from name in Gen.Elements("If-None-Match", "If-Range", "If-Match")
            from value in Gen.Frequency((2, Gen.Elements<string>([.. known.Blobs.Concat(known.Manifests).Select(r => $"\"{r}\""), "*", "W/\"x\"", "\"", "\"\",,\"", "Sat, 21 Nov 2026 00:00:00 GMT"])), (1, Noise(60)))
            select $"{name}: {value}"),
        (2, Gen.Elements(
            "Accept: */*", "Accept: ", "Accept: application/vnd.oci.image.manifest.v1+json", "Accept: ;;;q=,", "Accept: text/html;q=0", $"Accept: {new string('a', 4000)}",
            "Accept-Encoding: gzip, br", "Transfer-Encoding: identity", "Expect: 100-continue", "Upgrade: h2c", "Connection: Upgrade", "Authorization: Basic !!!", "Authorization: Bearer x",
            "X-Forwarded-For: 1.2.3.4", "Content-Type: a/b; charset=\"", "Cookie: a=b; ;;", "TE: trailers", "Via: \t")),
        (1, from name in Noise(12) from value in Noise(80) select $"X-{Token(name)}: {value}"));

    /// <summary>Range headers: good ones, off by one, and nonsense.</summary>
    public static Gen<string> Range =>
        from unit in Gen.Frequency((6, Gen.Constant("bytes=")), (1, Gen.Elements("Bytes=", "bytes =", "bytes", "lines=", "=", "")))
        from specs in Gen.Frequency((4, Spec.ArrayOf(1)), (2, Spec.ArrayOf(2)), (1, Spec.NonEmptyListOf().Select(list => list.ToArray()).Resize(20)))
        from separator in Gen.Frequency((5, Gen.Constant(",")), (1, Gen.Elements(", ", ",,", " ,\t", ";", " ")))
        select unit + string.Join(separator, specs);

    private static Gen<string> Spec =>
        from first in Position
        from last in Position
        from dash in Gen.Frequency((19, Gen.Constant("-")), (1, Gen.Elements("", "--", " - ", "=")))
        select first + dash + last;

    private static Gen<string> Position => Gen.Frequency(
        (2, Gen.Constant("")), (9, Gen.Choose(0, 1500).Select(n => $"{n}")),
        (1, Gen.Elements("9223372036854775807", "9223372036854775808", "99999999999999999999999999", "-1", "0x10", "1e3", " 1", "+1", "a", "\u00b2")));

    private static Gen<string> Mangled(Gen<string> good) =>
        from text in good
        from at in Gen.Choose(0, Math.Max(0, text.Length - 1))
        from put in Gen.Elements("", "/", "//", "%", "%00", "%2F", "\\", ":", "@", "?", "#", ";", "..", "A", "\u00ff", "~", "\"", "<", "%25%32%46")
        select text.Length == 0 ? put : text[..at] + put + text[(at + 1)..];

    private static Gen<string> Hex(int length) => Gen.Elements("0123456789abcdefA".ToCharArray()).ArrayOf(length).Select(c => new string(c));

    /// <summary>Any characters that do not end a header line.</summary>
    private static Gen<string> Noise(int longest) =>
        Gen.Choose(0, longest).SelectMany(n => Gen.Frequency((30, Gen.Choose(32, 126)), (3, Gen.Choose(160, 255)), (1, Gen.Choose(1, 31).Where(c => c is not ('\r' or '\n')))).Select(c => (char)c).ArrayOf(n)).Select(c => new string(c));

    private static string Token(string noise) => new([.. noise.Where(char.IsAsciiLetterOrDigit)]);

    /// <summary>A target without the bytes that would end it: those are the random bytes' part.</summary>
    private static string Visible(string target) => new([.. target.Where(c => c is not (' ' or '\t' or '\r' or '\n' or '\0'))]);
}

/// <summary>What exists and may be asked for. Manifests are not asked for as blobs or the other way: some registries break over that, which says nothing of us.</summary>
internal sealed record KnownContent(IReadOnlyList<string> Names, IReadOnlyList<string> Manifests, IReadOnlyList<string> Blobs);
