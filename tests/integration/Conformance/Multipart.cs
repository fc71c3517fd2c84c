using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Entrepot.TestSupport.Clients;
using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Reads multipart/byteranges as strictly as it is written down (RFC 9110 §14.6, RFC 2046 §5.1): nothing before, between or behind the parts.</summary>
internal static partial class Multipart
{
    public static IReadOnlyList<(long First, long Last, long Total, string? ContentType, byte[] Bytes)> Read(RawResponse answer)
    {
        var type = Boundary().Match(answer.Header("Content-Type") ?? "");
        Assert.True(type.Success, $"Content-Type is '{answer.Header("Content-Type")}'");
        var boundary = "--" + type.Groups[1].Value;
        var body = Encoding.Latin1.GetString(answer.Body);
        var parts = new List<(long, long, long, string?, byte[])>();
        var at = 0;
        Expect(boundary);
        while (!body.AsSpan(at).StartsWith("--", StringComparison.Ordinal))
        {
            Expect("\r\n");
            var end = body.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            Assert.True(end >= 0, "a part's headers do not end");
            var headers = body[at..end].Split("\r\n").Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
            at = end + 4;
            var range = ContentRange().Match(headers["Content-Range"]);
            Assert.True(range.Success, headers["Content-Range"]);
            var numbers = range.Groups.Values.Skip(1).Select(group => long.Parse(group.Value, CultureInfo.InvariantCulture)).ToArray();
            var length = (int)(numbers[1] - numbers[0] + 1);
            parts.Add((numbers[0], numbers[1], numbers[2], headers.GetValueOrDefault("Content-Type"), answer.Body[at..(at + length)]));
            at += length;
            Expect("\r\n" + boundary);
        }

        Expect("--\r\n");
        Assert.Equal(body.Length, at);
        return parts;

        void Expect(string text)
        {
            Assert.True(string.CompareOrdinal(body, at, text, 0, text.Length) == 0, $"'{text}' is missing at {at}");
            at += text.Length;
        }
    }

    [GeneratedRegex("^multipart/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})$")]
    private static partial Regex Boundary();

    [GeneratedRegex(@"^bytes (\d+)-(\d+)/(\d+)$")]
    private static partial Regex ContentRange();
}
