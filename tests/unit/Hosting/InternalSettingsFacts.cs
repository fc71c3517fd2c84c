using Entrepot.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class InternalSettingsFacts
{
    [Theory]
    [InlineData("0123456789abcdef", null)]
    [InlineData("!#$%&*+-./:;<=>?@[]^_{|}~", null)]
    [InlineData(null, "is missing")]
    [InlineData("0123456789abcde", "has fewer than 16 characters")]
    [InlineData("schlüssel-der-küche", "has a character that is not printable ASCII, or a space")]
    [InlineData("sixteen and more characters", "has a character that is not printable ASCII, or a space")]
    [InlineData("0123456789abcdef\t", "has a character that is not printable ASCII, or a space")]
    public void A_token_is_long_and_goes_into_a_header(string? token, string? problem)
    {
        var error = new InternalSettings { Token = token }.Validate("Internal").SingleOrDefault();
        Assert.Equal((problem, problem is null ? null : "Internal:Token"), (error?.Problem, error?.Key));
    }
}
