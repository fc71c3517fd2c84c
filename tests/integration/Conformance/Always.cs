using System.Globalization;
using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What holds for every answer below <c>/v2</c>, whatever was asked.</summary>
internal static class Always
{
    public static void Check(RawResponse answer, bool isHead)
    {
        Assert.Equal(["registry/2.0"], Fact.Values(answer, "Docker-Distribution-Api-Version"));
        Assert.Equal(["nosniff"], Fact.Values(answer, "X-Content-Type-Options"));
        Assert.Empty(Fact.Values(answer, "Content-Encoding"));
        Assert.Empty(Fact.Values(answer, "Transfer-Encoding"));
        Assert.Empty(Fact.Values(answer, "Server"));
        if (answer.Status != 304)
        {
            var length = int.Parse(Assert.Single(Fact.Values(answer, "Content-Length")), CultureInfo.InvariantCulture);
            Assert.Equal(isHead ? 0 : length, answer.Body.Length);
        }

        if (answer.Status >= 400 && answer.Status != 416)
        {
            Assert.Equal(["application/json"], Fact.Values(answer, "Content-Type"));
            Assert.Empty(Fact.Values(answer, "ETag"));
            Assert.Empty(Fact.Values(answer, "Docker-Content-Digest"));
            if (!isHead) Error(answer);
        }
    }

    /// <summary>Code and message of an error body, which has one error and no field that the specification does not have.</summary>
    public static (string Code, string Message) Error(RawResponse answer)
    {
        using var body = JsonDocument.Parse(answer.Body);
        Assert.Equal(["errors"], body.RootElement.EnumerateObject().Select(field => field.Name));
        var error = Assert.Single(body.RootElement.GetProperty("errors").EnumerateArray());
        Assert.All(error.EnumerateObject(), field => Assert.Contains(field.Name, (string[])["code", "message", "detail"]));
        var (code, message) = (error.GetProperty("code").GetString()!, error.GetProperty("message").GetString()!);
        Assert.Matches("^[A-Z_]+$", code);
        Assert.NotEmpty(message);
        Assert.DoesNotContain(message, char.IsControl);
        return (code, message);
    }
}
