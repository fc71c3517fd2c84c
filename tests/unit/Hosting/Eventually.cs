using Xunit;

namespace Entrepot.UnitTests.Hosting;

/// <summary>Waits for something that happens elsewhere.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(deadline) > TimeSpan.FromSeconds(15))
                Assert.Fail($"not within 15 s: {what}");
            await Task.Delay(10);
        }
    }
}
